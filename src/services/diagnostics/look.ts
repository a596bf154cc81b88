import type { GraphClient } from '../../graph/types.ts';
import type { ConnectedMicrosoftApp } from '../microsoft-app/microsoft-app.ts';
import type { Scope } from '../scope.ts';
import type { Settings } from '../settings/settings.ts';
import { type Finding, type NamedFinding, skip } from './finding.ts';

/** What a diagnosis looks at; read once, before the looks. */
export interface Subject {
  scope: Scope;
  /** Null when Teams was never set up. */
  settings: Settings | null;
  app: ConnectedMicrosoftApp | null;
  /** The app's client, whose next token is a new one; null when there is no app, or no key opens its credential. */
  graph: GraphClient | null;
  /** The roles in today's token; asked for once. Rejects as a Graph call does, and when there is no client. */
  grantedRoles(): Promise<ReadonlySet<string>>;
}

/** Looks at one thing. It may fail and it may hang: whoever runs it minds both. */
export interface Look {
  /** A stable name of the step, or of the group of steps. */
  name: string;
  /** For a person. */
  title: string;
  limitMs: number;
  /** @returns one finding, or several where one look finds out several things, each under a name of its own */
  look(subject: Subject): Promise<Finding | NamedFinding[]>;
}

/** Why Microsoft cannot be asked: a step that needs it is skipped, because another one says what is wrong. */
export function withoutMicrosoft({ app }: Subject): Finding {
  return app === null
    ? skip('Not looked at, because no Microsoft app is connected.')
    : skip('Not looked at, because the stored credential of the app cannot be read.');
}
