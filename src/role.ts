import { parseArgs } from 'node:util';
import { ConfigError } from './config.ts';

const ROLES = ['all', 'server', 'worker'] as const;

/** What a process does: `server` answers requests, `worker` runs the background jobs, `all` does both. */
export type Role = (typeof ROLES)[number];

/**
 * Reads `--role=server|worker|all` from the arguments of a process; without it, the process does everything.
 *
 * @throws ConfigError
 */
export function readRole(args: string[]): Role {
  let asked: string | undefined;
  try {
    asked = parseArgs({ args, options: { role: { type: 'string' } } }).values.role;
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error));
  }
  const role = ROLES.find((one) => one === (asked ?? 'all'));
  if (role === undefined) throw new ConfigError(`--role must be ${ROLES.join(', ')}; it is "${asked}".`);
  return role;
}
