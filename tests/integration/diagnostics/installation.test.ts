import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError } from '../../../src/blobs/blob-store.ts';
import type { DatabaseFacts } from '../../../src/db/facts.ts';
import { blobStoreLook } from '../../../src/services/diagnostics/steps/blob-store.ts';
import { clockLook } from '../../../src/services/diagnostics/steps/clock.ts';
import { databaseLook, judgeDatabase } from '../../../src/services/diagnostics/steps/database.ts';
import { isPublic, webhookLook } from '../../../src/services/diagnostics/steps/webhook.ts';
import { DatabaseUnavailableError } from '../../../src/services/scope.ts';
import { UNUSED_BLOBS } from '../../support/no-blobs.ts';
import { ALWAYS, TOKEN_ENDPOINT } from '../domain/support.ts';
import {
  admin,
  blobDirectory,
  diagnose,
  diagnosed,
  sql,
  stepOf,
  subgraph,
  tools,
  useDiagnosing,
} from './diagnosing.ts';
import { run } from './looking.ts';

useDiagnosing();

describe('blob-store', () => {
  const lookAt = async (blobs: BlobStore | undefined) => (await run([blobStoreLook(blobs, tools())])).steps[0];

  it('is written, read and cleared, and nothing of it stays', async () => {
    expect((await diagnosed('blob-store')).status).toBe('PASS');
    const left = await readdir(blobDirectory(), { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile())).toEqual([]);
  });

  it('that is not there is skipped, and fails once copies are wanted', async () => {
    expect((await lookAt(undefined))?.status).toBe('SKIP');
    await sql("UPDATE teams_integrations SET download_recordings = true WHERE tenant_id = 'tenant-a'");
    expect(await lookAt(undefined)).toMatchObject({
      status: 'FAIL',
      remedy: expect.stringMatching(/^Set BLOB_STORE, or switch/),
    });
  });

  it('that fails in the middle says so, and the upload is given up', async () => {
    const aborted: string[] = [];
    const full: BlobStore = {
      ...UNUSED_BLOBS,
      begin: async () => 'upload',
      putPart: async () => {
        throw new BlobStoreError('An upload failed (ENOSPC)');
      },
      abort: async ({ id }) => void aborted.push(id),
    };
    expect(await lookAt(full)).toMatchObject({
      status: 'FAIL',
      detail: 'The store of recordings failed: An upload failed (ENOSPC).',
    });
    expect(aborted).toEqual(['upload']);
  });

  it.each<[string, Partial<BlobStore>, RegExp]>([
    [
      'gives something else back',
      {
        get: async () => ({
          size: 1,
          body: (async function* () {
            yield Buffer.from('x');
          })(),
        }),
      },
      /something else/,
    ],
    ['gives nothing back', { get: async () => null }, /something else/],
    ['keeps what was deleted', { stat: async () => ({ size: 1 }) }, /keeps what it was told to delete/],
  ])('that %s fails', async (_, over, detail) => {
    let written = Buffer.alloc(0);
    const store: BlobStore = {
      ...UNUSED_BLOBS,
      begin: async () => 'upload',
      putPart: async (_upload, { bytes }) => {
        written = Buffer.from(bytes);
        return { number: 1, size: bytes.length, tag: 'tag' };
      },
      complete: async () => undefined,
      get: async () => ({
        size: written.length,
        body: (async function* () {
          yield written;
        })(),
      }),
      delete: async () => undefined,
      stat: async () => null,
      ...over,
    };
    expect(await lookAt(store)).toMatchObject({ status: 'FAIL', detail: expect.stringMatching(detail) });
  });
});

describe('webhook', () => {
  const lookAt = async (publicUrl: string) =>
    (await run([webhookLook({ publicUrl, subscriptionsOf: async () => [] }, tools())])).steps[0];

  it.each([
    ['http://teams.example.com', 'FAIL', /not https/],
    ['https://10.1.2.3', 'FAIL', /inside a network/],
    ['https://teams.internal', 'FAIL', /inside a network/],
    ['https://teams.invalid.', 'FAIL', /inside a network/],
  ])('at %s is %s', async (publicUrl, status, detail) => {
    expect(await lookAt(publicUrl)).toMatchObject({ status, detail: expect.stringMatching(detail) });
  });

  it.each([
    ['https://teams.example-msp.com', true],
    ['https://20.1.2.3:8443/x', true],
    ['https://[2603:1020::1]', true],
    ['https://172.20.0.1', false],
    ['https://192.168.1.1', false],
    ['https://100.100.0.1', false],
    ['https://169.254.169.254', false],
    ['https://[fd00::1]', false],
    ['https://[fe80::1]', false],
    ['https://[::ffff:10.0.0.1]', false],
    ['https://server', false],
    ['https://server.local', false],
    ['https://0x7f000001', false],
  ])('takes %s for public: %s', (url, expected) => {
    expect(isPublic(url)).toBe(expected);
  });

  it('asks its own health within a limit, follows no redirect, and tells nothing of the answer', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.writeHead(302, { location: '/secret-place', 'x-secret': 'of-the-answer' }).end('secret-body');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const active = {
      kind: 'RECORDINGS' as const,
      organizerObjectId: 'organizer',
      state: 'ACTIVE' as const,
      subscriptionId: 'id',
      expiresAt: new Date(Date.now() + 3_600_000),
      renewedAt: new Date(),
      nextAttemptAt: new Date(),
      failure: null,
      lastNotificationAt: null,
    };
    const look = webhookLook({ publicUrl: `http://127.0.0.1:${port}`, subscriptionsOf: async () => [active] }, tools());
    const [step] = (await run([look])).steps;
    await new Promise((resolve) => server.close(resolve));
    expect(seen).toEqual(['GET /health/live']);
    expect(step).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('does not answer'),
      remedy: expect.stringMatching(/^Open PUBLIC_URL/),
    });
    expect(JSON.stringify(step)).not.toMatch(/secret|127\.0\.0\.1/);
  });
});

describe('database', () => {
  const facts = (over: Partial<DatabaseFacts>): DatabaseFacts => ({
    serverVersion: 160_004,
    now: new Date(),
    migrations: { pending: [], unknown: [] },
    login: { name: 'server', excess: [] },
    ...over,
  });

  it.each<[string, Partial<DatabaseFacts>, string, RegExp]>([
    ['in order', {}, 'PASS', /PostgreSQL 16\.4, and has every migration/],
    ['too old', { serverVersion: 140_012 }, 'FAIL', /PostgreSQL 14\.12\.$/],
    ['of the oldest release', { serverVersion: 150_000 }, 'PASS', /PostgreSQL 15\.0/],
    [
      'without migrations',
      { migrations: { pending: ['20990101_x'], unknown: [] } },
      'FAIL',
      /lacks migrations of this release: 20990101_x/,
    ],
    [
      'of a newer release',
      { migrations: { pending: [], unknown: ['20990101_x'] } },
      'WARN',
      /does not know: 20990101_x/,
    ],
    [
      'used by its owner',
      { login: { name: 'owner', excess: ['owns-tables'] } },
      'WARN',
      /logs in as “owner”, which owns the tables: row security/,
    ],
    [
      'used by a superuser and without migrations',
      { login: { name: 'postgres', excess: ['superuser'] }, migrations: { pending: ['20990101_x'], unknown: [] } },
      'FAIL',
      /lacks migrations/,
    ],
    ['whose migrations are hidden', { migrations: null }, 'PASS', /cannot be seen/],
  ])('that is %s', (_, over, status, detail) => {
    expect(judgeDatabase(facts(over))).toMatchObject({ status, detail: expect.stringMatching(detail) });
  });

  it('that does not answer fails, and the clock is compared with Microsoft’s alone', async () => {
    const away = () => Promise.reject(new DatabaseUnavailableError('The database does not answer'));
    const looks = [clockLook(away, tools()), databaseLook(away)];
    const { steps } = await run(looks);
    expect(steps).toMatchObject([
      { name: 'clock', status: 'PASS', detail: expect.stringMatching(/The database’s clock is not known/) },
      { name: 'database', status: 'FAIL', detail: 'The database did not answer.' },
    ]);
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, cut: 'before', times: ALWAYS });
    expect((await run(looks)).steps[0]).toMatchObject({ name: 'clock', status: 'SKIP', remedy: null });
  });

  it('tells of a migration that is pending and one that is unknown', async () => {
    await sql(
      "UPDATE _prisma_migrations SET migration_name = '20990101000000_of_tomorrow' WHERE migration_name LIKE '%_diagnostics'",
    );
    const report = await diagnose(admin);
    await sql(
      "UPDATE _prisma_migrations SET migration_name = '20261125040000_diagnostics' WHERE migration_name LIKE '20990101%'",
    );
    expect(stepOf(report, 'database')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('20261125040000_diagnostics'),
      remedy: 'Run npm run db:migrate.',
    });
    expect(report.recommendations[0]).toBe('Run npm run db:migrate.');
  });
});
