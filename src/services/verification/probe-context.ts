import type { GraphClient } from '../../graph/types.ts';
import type { ServiceTools } from '../scope.ts';
import type { Consequences } from './checklist.ts';

/** What the probes of an organizer have in common once there is a token. */
export interface ProbeContext {
  graph: GraphClient;
  tools: ServiceTools;
  /** The organizer's object id, or the user principal name until the directory has told it. */
  userId: string;
  /** Whether the directory has shown the user. */
  isFound: boolean;
  /** The roles in the token. */
  granted: ReadonlySet<string>;
  /** What the check `roles` failed for. */
  missingRoles: ReadonlySet<string>;
}

/** What is only a consequence for a probe that needs this permission. */
export function withoutRole({ missingRoles }: ProbeContext, role: string): Consequences {
  return missingRoles.has(role) ? { ROLE_MISSING: 'roles' } : {};
}
