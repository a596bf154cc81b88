import { describe, expect, it } from 'vitest';
import { createDiagnosticsService } from '../../../src/services/diagnostics/diagnostics.ts';
import type { Finding } from '../../../src/services/diagnostics/finding.ts';
import { diagnose, latest, namesOf, scopeOf, sql, stepOf, subgraph, tools, useDiagnosing } from './diagnosing.ts';
import { look, pass, run, serviceOf } from './looking.ts';

useDiagnosing();

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
    expect({ ...two.report, ranAt: null }).toEqual({ ...one.report, ranAt: null });
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
