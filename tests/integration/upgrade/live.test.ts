import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findUnsafeMigrations } from '../../../scripts/check-migrations.ts';
import { migrate } from '../../../src/db/migrations.ts';
import { type NextRelease, nextRelease } from '../../support/next-release.ts';
import { activate, createMeeting } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { hotReads, type Operation, startTraffic } from '../../support/traffic.ts';
import { WITHOUT_WAITS } from '../domain/support.ts';

/** What the next release may do to the tables of this one: everything of its kind that the guard lets through. */
const NEXT: Record<string, string> = {
  '29990101000000_expand': `
ALTER TABLE "online_meetings" ADD COLUMN "room" TEXT, ADD COLUMN "is_urgent" BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE "meeting_attendees" ADD COLUMN "seat" INTEGER NOT NULL DEFAULT 0;
ALTER TABLE "online_meetings" ADD CONSTRAINT "online_meetings_has_subject" CHECK ("subject" <> '') NOT VALID;
CREATE TABLE "meeting_rooms" ("tenant_id" TEXT NOT NULL, "meeting_id" UUID NOT NULL, CONSTRAINT "meeting_rooms_pkey" PRIMARY KEY ("tenant_id", "meeting_id"));
ALTER TABLE "meeting_rooms" ADD CONSTRAINT "meeting_rooms_meeting_fkey" FOREIGN KEY ("tenant_id", "meeting_id") REFERENCES "online_meetings"("tenant_id", "id") ON DELETE CASCADE ON UPDATE RESTRICT;
ALTER TYPE "meeting_status" ADD VALUE 'POSTPONED';
`,
  '29990101000001_validate': 'ALTER TABLE "online_meetings" VALIDATE CONSTRAINT "online_meetings_has_subject";\n',
  '29990101000002_indexes': `
CREATE INDEX CONCURRENTLY IF NOT EXISTS "online_meetings_room" ON "online_meetings"("tenant_id", "room");
CREATE INDEX CONCURRENTLY IF NOT EXISTS "meeting_attendees_seat" ON "meeting_attendees"("tenant_id", "seat");
DROP INDEX CONCURRENTLY IF EXISTS "meeting_attendees_tenant_id_contact_id_idx";
`,
  '29990101000003_contract': `
-- contract: released since 0.1.0
ALTER TABLE "online_meetings" DROP COLUMN "room";
`,
};

/** No request may wait for a lock for as long as this, which is many times a migration's own limit. */
const LOCK_LIMIT = '5s';

let subgraph: TestSubgraph;
let release: NextRelease;
let token: string;
let reads: Operation[];

beforeAll(async () => {
  [subgraph, release] = await Promise.all([startTestSubgraph({ graph: WITHOUT_WAITS }), nextRelease(NEXT)]);
  token = await activate(subgraph);
  const subjects = Array.from({ length: 3 }, (_, i) => `appt-upgrade-${i}`);
  const meetings = [];
  for (const appointmentId of subjects) meetings.push(await createMeeting(subgraph, token, { appointmentId }));
  reads = hotReads({ subjects, meetingId: meetings[0]?.id ?? '' });
  const [{ name } = { name: '' }] = await subgraph.database.query<{ name: string }>(
    'SELECT current_database() AS name',
  );
  await subgraph.database.query(`ALTER DATABASE "${name}" SET lock_timeout = '${LOCK_LIMIT}'`);
  // Only new connections hear of it.
  await subgraph.database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'idle'",
  );
}, 120_000);
afterAll(async () => {
  await subgraph.close();
  await release.remove();
});

/** A transaction that has read meetings and stays open: what makes a careless migration stop everybody. */
async function holdMeetings(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: subgraph.database.url });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM online_meetings LIMIT 1');
  let ended: Promise<void> | undefined;
  return () => {
    ended ??= client.end();
    return ended;
  };
}

it('the migrations of the example are such as the guard lets through', () => {
  const files = Object.entries(NEXT).map(([name, text]) => ({ path: `prisma/migrations/${name}/migration.sql`, text }));
  expect(files.flatMap((file) => findUnsafeMigrations(file, '0.1.0'))).toEqual([]);
});

it('this release goes on serving while the next one migrates, and no request fails', async () => {
  const endTransaction = await holdMeetings();
  const traffic = startTraffic({
    send: (query, variables) => subgraph.send(token, query, variables),
    reads,
    onFailure: () => void endTransaction(),
  });
  const gaveWay: string[] = [];
  let answeredBefore = 0;
  try {
    await expect.poll(() => traffic.answered, { timeout: 60_000 }).toBeGreaterThan(reads.length);
    answeredBefore = traffic.answered;
    const applied = await migrate(subgraph.database.url, {
      folder: release.folder,
      lockTimeoutMs: 200,
      tell: (line) => {
        gaveWay.push(line);
        if (gaveWay.length === 2) void endTransaction();
      },
    });
    expect(applied).toEqual(Object.keys(NEXT));
    const answeredBy = traffic.answered;
    expect(answeredBy, 'requests were answered meanwhile').toBeGreaterThan(answeredBefore);
    await expect.poll(() => traffic.answered, { timeout: 60_000 }).toBeGreaterThan(answeredBy + reads.length);
  } finally {
    await endTransaction();
    await traffic.stop();
  }
  expect(traffic.failures).toEqual([]);
  expect(gaveWay.length, 'the migration gave way to who was there first').toBeGreaterThanOrEqual(2);
  await subgraph.runJobs();
  const levels = subgraph.logs.filter(({ level }) => Number(level) >= 50);
  expect(levels).toEqual([]);
}, 120_000);
