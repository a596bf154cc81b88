import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlgaDatabase, createAlgaDatabase, inDays } from '../support/alga-database.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { run } from './process.ts';

const IMPORT = 'src/cli/import-alga.ts';
const TENANTS = ['10000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000002'] as const;

let alga: AlgaDatabase;
let database: TestDatabase;
let directory: string;

/** The fixture that docs/import-alga.md shows the report of. */
async function fill(): Promise<void> {
  const [acme, globex] = TENANTS;
  await alga.insert('teams_integrations', {
    tenant: acme,
    install_status: 'active',
    default_meeting_organizer_upn: 'scheduling@acme.example',
    download_recordings: true,
  });
  const past = { start_time: inDays(-3), end_time: new Date(inDays(-3).getTime() + 3_600_000) };
  const ready = await alga.meeting(acme, { ...past, status: 'recording_ready' });
  await alga.recording(acme, ready, 'recording-1');
  await alga.recording(acme, ready, 'recording-2', { file_id: ready });
  await alga.recording(acme, ready, 'transcript-1', { artifact_type: 'transcript' });
  for (let count = 0; count < 5; count += 1) await alga.meeting(acme);
  const entry = { schedule_entry_id: ready };
  await alga.meeting(acme, { ...entry, created_at: inDays(-60) });
  await alga.meeting(acme, entry);
  await alga.meeting(acme, { provider_event_id: null });
  await alga.meeting(acme, { status: 'cancelled', join_url: null });
  await alga.meeting(acme, { status: 'cancel_pending' });
  await alga.meeting(acme, { provider: 'google_meet' });
  await alga.meeting(acme, { join_url: null, provider_event_id: null });
  await alga.meeting(acme, { schedule_entry_id: null, appointment_request_id: ready });
  await alga.meeting(globex, { organizer_upn: 'desk@globex.example', organizer_user_id: 'desk@globex.example' });
}

beforeAll(async () => {
  [alga, database, directory] = await Promise.all([
    createAlgaDatabase(),
    createTestDatabase(),
    mkdtemp(join(tmpdir(), 'import-test-')),
  ]);
  await fill();
});
afterAll(async () => {
  await Promise.all([alga.drop(), database.drop(), rm(directory, { recursive: true, force: true })]);
});

const importing = (...args: string[]) => run(IMPORT, ['--source', alga.url, ...args], { DATABASE_URL: database.url });
const countHere = async () => (await database.query('SELECT 1 FROM online_meetings')).length;

interface Report {
  findings: { code: string; isTaken: boolean }[];
  tenants: { tenantId: string; meetings: Record<string, number> }[];
  isDryRun: boolean;
  isComplete: boolean;
  source: string;
}

describe('npm run import:alga', () => {
  it('tells in a dry run what it would do, does it, and finds nothing to do the second time', async () => {
    const file = join(directory, 'report.json');
    const dry = await importing('--dry-run', '--report', file);
    expect(dry.code).toBe(1);
    expect(dry.stdout).toContain('dry run: nothing was stored');
    expect(await countHere()).toBe(0);

    const first = await importing('--report', file);
    expect(first.code).toBe(1);
    expect(first.stderr).toBe('2 of 15 meetings\n14 of 15 meetings\n15 of 15 meetings\n');
    const report = JSON.parse(await readFile(file, 'utf8')) as Report;
    expect(report).toMatchObject({ isDryRun: false, isComplete: true });
    expect(report.tenants.map(({ meetings }) => meetings)).toEqual([
      { read: 14, taken: 10, changed: 0, unchanged: 0, notTaken: 4 },
      { read: 1, taken: 1, changed: 0, unchanged: 0, notTaken: 0 },
    ]);
    const codes = new Set(report.findings.filter(({ isTaken }) => !isTaken).map(({ code }) => code));
    expect(codes).toEqual(new Set(['NO_BLOB_STORE', 'DUPLICATE', 'OTHER_PROVIDER', 'NOTHING_MADE', 'NO_APPOINTMENT']));
    for (const code of codes) expect(first.stdout).toContain(`${code} (not taken)`);
    const { password } = new URL(alga.url);
    for (const text of [first.stdout, JSON.stringify(report)]) {
      expect(text).not.toContain('teams.microsoft.com');
      expect(text).not.toContain(`:${password}@`);
    }
    expect(await countHere()).toBe(11);

    const second = await importing('--tenant', TENANTS[1].toUpperCase());
    expect(second).toMatchObject({ code: 0, stderr: '1 of 1 meetings\n' });
    expect(second.stdout).toContain('ORGANIZER_UNRESOLVED');
  }, 120_000);

  it.each([
    ['no source', [], /^--source is no Postgres URL/],
    ['a source that is no alga-psa', ['--source', 'TARGET'], /^The source has no table/],
    [
      'a tenant that is not there',
      ['--tenant', '30000000-0000-4000-8000-000000000003'],
      /has no Teams settings or meetings of 3/,
    ],
    ['a report that cannot be written', ['--report', '/nowhere/report.json'], /ENOENT/],
  ])('says in one line what is wrong with %s, and exits with 2', async (what, args, message) => {
    const source = what === 'no source' || args[0] === '--source' ? [] : ['--source', alga.url];
    const withTarget = args.map((arg) => (arg === 'TARGET' ? database.url : arg));
    const { code, stdout, stderr } = await run(IMPORT, [...source, ...withTarget], { DATABASE_URL: database.url });
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([
    ['without --source', ['postgres://owner:SECRET@127.0.0.1/server']],
    ['as an option', ['--postgres://owner:SECRET@127.0.0.1/server']],
    ['after an option that has no value', ['--dry-run', 'postgres://owner:SECRET@127.0.0.1/server']],
    ['as the value of one that has none', ['--dry-run=postgres://owner:SECRET@127.0.0.1/server']],
    ['without its protocol', ['--source', 'owner:SECRET@127.0.0.1/server']],
    ['as the tenant', ['--source', 'postgres://127.0.0.1/server', '--tenant', 'postgres://owner:SECRET@127.0.0.1/']],
  ])('shows how to call it and no password where the address is given %s', async (_how, args) => {
    const { code, stdout, stderr } = await run(IMPORT, args, { DATABASE_URL: database.url });
    expect(stderr).toContain('Usage: npm run import:alga -- --source');
    expect(stderr).not.toContain('SECRET');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});
