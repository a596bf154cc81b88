import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { migrationNames, PRISMA_FOLDER } from '../../../src/db/migration-names.ts';
import { migrate } from '../../../src/db/migrations.ts';
import { createTestDatabase } from '../../support/database.ts';

const MIGRATION = '20261125020000_transcripts';
const database = await createTestDatabase('template0');
const path = await mkdtemp(join(tmpdir(), 'prisma-before-'));
afterAll(async () => {
  await database.drop();
  await rm(path, { recursive: true, force: true });
});

it('transcripts of the release before keep their words, as bytes of UTF-8, and wait to be indexed', async () => {
  await cp(PRISMA_FOLDER, path, { recursive: true });
  for (const name of (await migrationNames()).filter((name) => name >= MIGRATION))
    await rm(join(path, 'migrations', name), { recursive: true });
  await migrate(database.url, { folder: pathToFileURL(`${path}/`) });
  const vtt = '\uFEFFWEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.000\r\n<v Zoë>Größe \\x41 🎉</v>';
  const meeting = '01890000-0000-7000-8000-000000000001';
  await database.query(
    `INSERT INTO online_meetings (tenant_id, id, appointment_id, status, subject, starts_at, ends_at, time_zone, organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
     VALUES ('tenant-a', $1, 'a', 'SCHEDULED', 'Review', now(), now() + interval '1 hour', 'UTC', 'o@msp.example', 't', 'h', 'u', now(), now())`,
    [meeting],
  );
  await database.query(
    `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, is_speaker_attributed, vtt) VALUES ('tenant-a', $1, $1, 't', now(), true, $2)`,
    [meeting, vtt],
  );
  expect(await migrate(database.url)).toContain(MIGRATION);
  const [row] = await database.query<{ vtt: Buffer; indexed_as: string | null }>(
    'SELECT vtt, indexed_as FROM meeting_transcripts',
  );
  expect([row?.vtt.toString('utf8'), row?.indexed_as]).toEqual([vtt, null]);
});
