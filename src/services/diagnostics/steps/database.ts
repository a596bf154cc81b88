import type { DatabaseFacts } from '../../../db/facts.ts';
import { type Finding, fail, pass, warn } from '../finding.ts';
import type { Look } from '../look.ts';

/** The oldest release that this product is made for. */
const OLDEST = 15;

const RIGHTS: Record<DatabaseFacts['login']['excess'][number], string> = {
  superuser: 'is a superuser',
  'bypasses-row-security': 'may bypass row security',
  'owns-tables': 'owns the tables',
};

/** @param facts as the database told them */
export function judgeDatabase({ serverVersion, migrations, login }: DatabaseFacts): Finding {
  const major = Math.floor(serverVersion / 10_000);
  const detail = `The database is PostgreSQL ${major}.${serverVersion % 10_000}`;
  if (major < OLDEST) return fail(`${detail}.`, `Move the database to PostgreSQL ${OLDEST} or newer.`);
  if (login.excess.length > 0 && (migrations === null || migrations.pending.length === 0))
    return warn(
      `${detail}. The server logs in as “${login.name}”, which ${login.excess.map((right) => RIGHTS[right]).join(' and ')}: row security is then no lock that holds.`,
      'Give the server a login of its own, as docs/database-roles.md says, and keep the present one for MIGRATION_DATABASE_URL.',
    );
  if (migrations === null)
    return pass(`${detail}. Its migrations cannot be seen: the role of DATABASE_URL may not read of them.`);
  const { pending, unknown } = migrations;
  if (pending.length > 0)
    return fail(`${detail}. It lacks migrations of this release: ${pending.join(', ')}.`, 'Run npm run db:migrate.');
  if (unknown.length > 0)
    return warn(
      `${detail}. It has migrations that this release does not know: ${unknown.join(', ')}.`,
      'Finish the update: start this release’s successor everywhere.',
    );
  return pass(`${detail}, and has every migration of this release.`);
}

/** Whether the database is new enough and has this release's tables. */
export function databaseLook(inspect: () => Promise<DatabaseFacts>): Look {
  return {
    name: 'database',
    title: 'Database',
    limitMs: 15_000,
    look: async () => judgeDatabase(await inspect()),
  };
}
