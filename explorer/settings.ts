import type { DemoTenant } from './operations.ts';

/** What the server tells its explorer. */
export interface ExplorerSettings {
  /** False: the server does not tell its schema, so there is neither completion nor documentation. */
  introspection: boolean;
  /** The roles for which the server hands out tokens; empty outside `npm start`. */
  roles: string[];
  /** Null outside `npm start`. */
  demo: DemoTenant | null;
  /** What goes with every operation, where `npm start` is given a secret of the gateway. */
  headers?: Record<string, string>;
}

export async function loadSettings(): Promise<ExplorerSettings> {
  const response = await fetch('explorer/settings.json');
  if (!response.ok) throw new Error(`The server answered ${response.status} when asked for the explorer's settings.`);
  return response.json();
}
