import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError } from '../../../src/blobs/blob-store.ts';
import type { DatabaseFacts } from '../../../src/db/facts.ts';
import { createDiagnosticsService } from '../../../src/services/diagnostics/diagnostics.ts';
import type { Finding } from '../../../src/services/diagnostics/finding.ts';
import type { Look } from '../../../src/services/diagnostics/look.ts';
import type { DiagnosticsStep } from '../../../src/services/diagnostics/report.ts';
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
  latest,
  namesOf,
  scopeOf,
  sql,
  stepOf,
  subgraph,
  tools,
  useDiagnosing,
} from './diagnosing.ts';

useDiagnosing();

const pass = (detail: string): Finding => ({ status: 'PASS', detail, remedy: null });
const look = (name: string, work: Look['look'], limitMs = 5_000): Look => ({
  name,
  title: `The ${name}`,
  limitMs,
  look: work,
});
const serviceOf = (looks: Look[]) =>
  createDiagnosticsService(
    { looks, microsoftApp: subgraph.services.microsoftApp, settings: subgraph.services.settings },
    tools(),
  );
const run = async (looks: Look[], onStep?: (step: DiagnosticsStep) => void) => {
  const { report } = await serviceOf(looks).run(scopeOf(), onStep);
  if (report === null) throw new Error('no report');
  return report;
};

describe('a step', () => {
  it('that hangs is given up at its limit, and the others are told', async () => {
    const report = await run([
      look('hanging', () => new Promise(() => undefined), 50),
      look('fine', async () => pass('Fine.')),
    ]);
    expect(report.overall).toBe('FAIL');
    expect(report.steps).toMatchObject([
      {
        name: 'hanging',
        title: 'The hanging',
        status: 'FAIL',
        detail: expect.stringContaining('given up'),
        remedy: 'Run the diagnosis again in a minute.',
      },
      { name: 'fine', status: 'PASS' },
    ]);
    expect(report.steps[0]?.durationMs).toBeGreaterThanOrEqual(45);
  });

  it('that throws is a failure of that step; the report says nothing of the error, the log does', async () => {
    subgraph.logs.length = 0;
    const report = await run([
      look('throwing', () => {
        throw new Error('secret-in-the-error');
      }),
      look('rejecting', () => Promise.reject(new TypeError('secret-in-the-error'))),
      look('fine', async () => pass('Fine.')),
    ]);
    expect(report.steps.map(({ name, status }) => [name, status])).toEqual([
      ['throwing', 'FAIL'],
      ['rejecting', 'FAIL'],
      ['fine', 'PASS'],
    ]);
    expect(JSON.stringify(report)).not.toContain('secret-in-the-error');
    expect(subgraph.logs.filter(({ msg }) => String(msg).includes('a step broke')).map(({ step }) => step)).toEqual([
      'throwing',
      'rejecting',
    ]);
  });

  it('that Microsoft hinders says how', async () => {
    await subgraph.simulator.addFault({ match: { path: '/oauth2/' }, cut: 'before', times: 1000 });
    const graph = await subgraph.services.microsoftApp.graphFor(scopeOf());
    await subgraph.services.microsoftApp.refreshTokens(scopeOf());
    const report = await run([look('asking', async () => pass(String((await graph?.grantedRoles())?.size)))]);
    expect(report.steps).toMatchObject([{ status: 'FAIL', detail: 'Microsoft could not be reached.' }]);
  });

  it('is told as soon as it has ended, and stands in its own place', async () => {
    const first = Promise.withResolvers<Finding>();
    const heard: string[] = [];
    const report = await run(
      [look('slow', () => first.promise), look('quick', async () => pass('Quick.'))],
      ({ name }) => {
        heard.push(name);
        first.resolve(pass('Slow.'));
      },
    );
    expect(heard).toEqual(['quick', 'slow']);
    expect(report.steps.map(({ name }) => name)).toEqual(['slow', 'quick']);
  });

  it.each<[string, Finding['status'][], string]>([
    ['a failure', ['PASS', 'WARN', 'FAIL', 'SKIP'], 'FAIL'],
    ['a warning', ['SKIP', 'PASS', 'WARN'], 'WARN'],
    ['nothing but what was skipped', ['SKIP', 'PASS', 'SKIP'], 'PASS'],
    ['nothing at all', ['SKIP'], 'SKIP'],
  ])('counts for the whole: %s', async (_, found, overall) => {
    const looks = found.map((status, n) => look(`step-${n}`, async () => ({ status, detail: 'So.', remedy: null })));
    expect((await run(looks)).overall).toBe(overall);
  });
});

describe('two callers at once', () => {
  it('get one and the same run, the later one with the steps that it missed', async () => {
    const gate = Promise.withResolvers<Finding>();
    const begun = Promise.withResolvers<void>();
    let runs = 0;
    const service = serviceOf([
      look('quick', async () => pass('Quick.')),
      look('gated', () => {
        runs += 1;
        return gate.promise;
      }),
    ]);
    const heard: Record<string, string[]> = { first: [], second: [] };
    const first = service.run(scopeOf(), ({ name }) => {
      heard.first?.push(name);
      begun.resolve();
    });
    await begun.promise;
    const second = service.run(scopeOf(), ({ name }) => heard.second?.push(name));
    gate.resolve(pass('Gated.'));
    const [one, two] = await Promise.all([first, second]);
    expect(two.report).toBe(one.report);
    expect(heard).toEqual({ first: ['quick', 'gated'], second: ['quick', 'gated'] });
    expect(runs).toBe(1);
    await service.run(scopeOf());
    expect(runs).toBe(2);
  });

  it('of two tenants have a run each', async () => {
    const seen: string[] = [];
    const gate = Promise.withResolvers<Finding>();
    const service = serviceOf([
      look('gated', ({ scope }) => {
        seen.push(scope.db.tenantId);
        if (seen.length === 2) gate.resolve(pass('Gated.'));
        return gate.promise;
      }),
    ]);
    await Promise.all([service.run(scopeOf('tenant-a')), service.run(scopeOf('tenant-b'))]);
    expect(seen.sort()).toEqual(['tenant-a', 'tenant-b']);
  });

  it('through the API store one report', async () => {
    await sql('DELETE FROM diagnostics_reports');
    const [one, two] = await Promise.all([diagnose(), diagnose()]);
    expect(two).toEqual(one);
    expect(await sql('SELECT count(*)::int AS n FROM diagnostics_reports')).toEqual([{ n: 1 }]);
  });

  it('are both told that the database is at fault when not even the settings can be read, and the next one runs', async () => {
    let isBroken = true;
    const { find } = subgraph.services.settings;
    const service = createDiagnosticsService(
      {
        looks: [
          look('fine', async () => pass('Fine.')),
          look('database', async () => ({ status: 'PASS', detail: 'It is PostgreSQL.', remedy: null })),
        ],
        microsoftApp: subgraph.services.microsoftApp,
        settings: {
          find: async (scope) => (isBroken ? Promise.reject(new Error('secret of the error')) : find(scope)),
        },
      },
      tools(),
    );
    const heard: string[] = [];
    const [one, two] = await Promise.all([
      service.run(scopeOf(), ({ name }) => heard.push(name)),
      service.run(scopeOf()),
    ]);
    expect(two.report).toBe(one.report);
    expect(one.report).toMatchObject({
      overall: 'FAIL',
      steps: [
        { name: 'fine', title: 'The fine', status: 'SKIP', detail: expect.stringContaining('could not be read') },
        {
          name: 'database',
          status: 'FAIL',
          detail: expect.stringMatching(/^It is PostgreSQL\. What is stored of this tenant could not be read, /),
        },
      ],
      recommendations: ['Look at the database and its connections, and run the diagnosis again.'],
    });
    expect(one.report?.permissions.every(({ grantedInToken }) => grantedInToken === null)).toBe(true);
    expect(heard).toEqual(['fine', 'database']);
    expect(JSON.stringify(one)).not.toContain('secret of the error');
    isBroken = false;
    expect((await service.run(scopeOf())).report?.overall).toBe('PASS');
  });
});

describe('a report that cannot be stored', () => {
  it.each([
    ['the disk is full', '53100'],
    ['the database is read-only', '25006'],
  ])('because %s is told all the same, with the database as a red step', async (_, code) => {
    await sql('DELETE FROM diagnostics_reports');
    await sql(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '${code}'; END $$`,
    );
    await sql('CREATE TRIGGER refuse BEFORE INSERT ON diagnostics_reports FOR EACH ROW EXECUTE FUNCTION refuse()');
    const report = await diagnose().finally(() => sql('DROP FUNCTION refuse() CASCADE'));
    expect(namesOf(report, 'FAIL')).toEqual(['database']);
    expect(report.steps.filter(({ name }) => name === 'database')).toHaveLength(1);
    expect(stepOf(report, 'database')).toMatchObject({
      title: 'Database',
      detail: expect.stringMatching(/^The database is PostgreSQL .*\. The report could not be stored\.$/),
      remedy: expect.stringContaining('free space'),
    });
    expect(stepOf(report, 'microsoft-policy').status).toBe('PASS');
    expect(report.recommendations).toEqual(['Make sure that the database has free space and takes writes.']);
    expect(await latest()).toBeNull();
  });
});

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
