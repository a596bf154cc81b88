import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createGraphService } from '../../../src/graph/service.ts';
import type { Scope, ServiceTools } from '../../../src/services/scope.ts';
import { createServices } from '../../../src/services/services.ts';
import { makeSingleRun } from '../../../src/services/verification/single-run.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { auditOf } from '../domain/support.ts';
import { checkOf, mend, subgraph, useVerification, verified, verify } from './support.ts';

const encryptionKeys = [{ id: 'test', bytes: randomBytes(32) }];

useVerification({ services: { encryptionKeys } });
afterEach(async () => {
  await subgraph.database.query('DELETE FROM verification_runs');
  await mend();
});

const scopeOf = (tenantId = 'tenant-a'): Scope => ({
  viewer: backgroundViewer(tenantId),
  db: subgraph.db.forTenant(tenantId),
});

const toolsWith = (sleep: ServiceTools['sleep']): ServiceTools => ({
  clock: () => new Date(),
  newId: randomUUID,
  sleep,
  random: Math.random,
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  metrics: { driftFound() {}, operationEnded() {}, artifactsCaptured() {}, notificationsReceived() {} },
});

/** The services of another process on the same database. */
function otherProcess(sleep: ServiceTools['sleep'] = (milliseconds) => setTimeout(milliseconds / 10)) {
  const tools = toolsWith(sleep);
  const { simulatorUrl: url } = subgraph;
  return createServices({
    graph: createGraphService({ graphBaseUrl: url, entraBaseUrl: url, logger: tools.logger }),
    encryptionKeys,
    linkSigningKeys: encryptionKeys,
    publicUrl: 'http://subgraph.invalid',
    inspectDatabase: () => subgraph.db.facts(),
    tools,
  });
}

const made = () => subgraph.simulator.requests({ method: 'POST', path: '/events$' });
const runs = () => subgraph.database.query<{ run_id: string }>('SELECT run_id FROM verification_runs');

/** Holds the next verification at the calendar until the test goes on. */
async function holdNext(): Promise<void> {
  await subgraph.simulator.clearRequests();
  await subgraph.simulator.addFault({ match: { path: '/calendar' }, delayMs: 5_000 });
}

const untilHeld = () =>
  expect.poll(() => subgraph.simulator.requests({ path: '/calendar$' }), { timeout: 10_000 }).toHaveLength(1);

describe('while a verification runs', () => {
  it('another caller of the same process gets its result', async () => {
    await holdNext();
    const first = verified();
    await untilHeld();
    const second = verified();
    await subgraph.simulator.clearFaults();
    expect(await second).toEqual(await first);
    expect(await made()).toHaveLength(1);
  });

  it('another process waits and gets its result', async () => {
    await holdNext();
    const before = (await auditOf(subgraph, 'tenant-a', 'verify')).length;
    const first = verified();
    await untilHeld();
    const second = otherProcess().verifyOrganizer(scopeOf());
    await setTimeout(200);
    await subgraph.simulator.clearFaults();
    const { outcome, ranAt } = await first;
    const answer = await second;
    expect(answer.userErrors).toEqual([]);
    expect(answer.verification).toMatchObject({ outcome, ranAt: new Date(ranAt) });
    expect(await made()).toHaveLength(1);
    expect(await auditOf(subgraph, 'tenant-a', 'verify')).toHaveLength(before + 1);
  });

  it('a caller who names a mailbox has the next turn and an answer of its own', async () => {
    await holdNext();
    const first = verified();
    await untilHeld();
    const second = verified({ outsideMailbox: 'nobody@acme.example' });
    await subgraph.simulator.clearFaults();
    expect(checkOf(await second, 'mailbox-outside').detail).toMatch(/no mailbox of the name/);
    expect((await second).ranAt).not.toBe((await first).ranAt);
    expect(await made()).toHaveLength(2);
  });

  it('what is wrong with the mailbox that one caller names is told to that caller alone, and at once', async () => {
    await holdNext();
    const first = verified();
    await untilHeld();
    const typo = verify({ outsideMailbox: 'nobody' });
    const second = verified();
    expect((await typo).userErrors).toMatchObject([{ code: 'INVALID_INPUT', path: ['input', 'outsideMailbox'] }]);
    expect(await made()).toEqual([]);
    await subgraph.simulator.clearFaults();
    expect(await second).toEqual(await first);
  });

  it('a caller who waited for a minute is told so', async () => {
    await subgraph.database.query(
      "INSERT INTO verification_runs VALUES ('tenant-a', $1, now(), now() + interval '1 hour')",
      [randomUUID()],
    );
    const { verification, userErrors } = await verify();
    expect(verification).toBeNull();
    expect(userErrors).toMatchObject([{ code: 'CONFLICT', remedy: expect.stringMatching(/lastVerification/) }]);
  });

  it('another tenant does not wait', async () => {
    await subgraph.database.query(
      "INSERT INTO verification_runs VALUES ('tenant-b', $1, now(), now() + interval '1 hour')",
      [randomUUID()],
    );
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await runs()).toHaveLength(1);
  });
});

describe('a run that did not end', () => {
  it('is followed by another one when its time is over', async () => {
    await subgraph.database.query(
      "INSERT INTO verification_runs VALUES ('tenant-a', $1, now() - interval '1 hour', now() - interval '1 second')",
      [randomUUID()],
    );
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await runs()).toEqual([]);
  });

  it('lets go of the tenant when it broke, and whoever waited has the next turn', async () => {
    const singleRun = makeSingleRun(toolsWith((milliseconds) => setTimeout(milliseconds / 50)));
    const gate = Promise.withResolvers<void>();
    const broken = singleRun(scopeOf(), {
      work: () => gate.promise.then(() => Promise.reject(new Error('broken'))),
      find: async () => null,
      isShareable: true,
    });
    await expect.poll(runs).toHaveLength(1);
    const next = singleRun(scopeOf(), { work: async () => 'done', find: async () => null, isShareable: true });
    gate.resolve();
    await expect(broken).rejects.toThrow('broken');
    expect(await next).toBe('done');
    expect(await runs()).toEqual([]);
  });

  it('is entered once, however many come at the same moment', async () => {
    const results = new Map<string, string>();
    let working = 0;
    let most = 0;
    const once = () =>
      makeSingleRun(toolsWith((milliseconds) => setTimeout(milliseconds / 50)))<string>(scopeOf(), {
        work: async (runId) => {
          working += 1;
          most = Math.max(most, working);
          await setTimeout(30);
          working -= 1;
          results.set(runId, runId);
          return runId;
        },
        find: async (runId) => results.get(runId) ?? null,
        isShareable: true,
      });
    const all = await Promise.all(Array.from({ length: 8 }, once));
    expect(most).toBe(1);
    expect(all).not.toContain('busy');
  });
});

describe('what is kept', () => {
  it('is the last fifty results', async () => {
    await subgraph.database.query(
      `INSERT INTO organizer_verifications (tenant_id, id, outcome, checks, ran_at)
       SELECT tenant, gen_random_uuid(), 'GRAPH_ERROR', '[]', now() - n * interval '1 hour'
         FROM generate_series(1, 60) n, unnest(ARRAY['tenant-a', 'tenant-b']) tenant`,
    );
    await verified();
    const rows = await subgraph.database.query<{ tenant_id: string; outcome: string }>(
      'SELECT tenant_id, outcome FROM organizer_verifications ORDER BY ran_at DESC',
    );
    const ofTenant = (tenantId: string) => rows.filter(({ tenant_id }) => tenant_id === tenantId);
    expect(ofTenant('tenant-a')).toHaveLength(50);
    expect(ofTenant('tenant-a')[0]?.outcome).toBe('VERIFIED');
    expect(ofTenant('tenant-b')).toHaveLength(60);
  });
});
