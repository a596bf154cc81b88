import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { activate, MICROSOFT } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../support/tokens.ts';
import { type Run, start } from './process.ts';

const { directoryId, organizer } = MICROSOFT['tenant-a'];
const VERIFY = '{"query":"mutation { verifyTeamsOrganizer { verification { outcome } userErrors { code } } }"}';

const directory = await mkdtemp(join(tmpdir(), 'verification-killed-'));
const processes: Run[] = [];
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  await rm(directory, { recursive: true, force: true });
});

/** A server process of its own, without a worker, on the same database. */
async function startServer(subgraph: TestSubgraph, encryptionKey: Buffer): Promise<{ process: Run; url: string }> {
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  const process = start('src/main.ts', [], {
    NODE_ENV: 'test',
    DATABASE_URL: subgraph.database.applicationUrl,
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:4001',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: `test:${encryptionKey.toString('base64')}`,
    LINK_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRAPH_BASE_URL: subgraph.simulatorUrl,
    ENTRA_BASE_URL: subgraph.simulatorUrl,
    WORKER_CONCURRENCY: '0',
  });
  processes.push(process);
  const url = await vi.waitFor(
    () => {
      const line = process
        .stdout()
        .split('\n')
        .find((text) => text.includes('the subgraph is listening'));
      if (line === undefined) throw new Error(`It does not listen yet. ${process.stderr()}`);
      return (JSON.parse(line) as { address: string }).address;
    },
    { timeout: 20_000, interval: 50 },
  );
  return { process, url };
}

it('what a process that was killed between making and removing the event left behind is removed by another', {
  timeout: 120_000,
}, async () => {
  const bytes = randomBytes(32);
  const subgraph = await startTestSubgraph({
    isCallable: true,
    services: { encryptionKeys: [{ id: 'test', bytes }] },
  });
  const calendar = () => subgraph.simulator.listEvents(directoryId, organizer);
  const verify = async (url: string, admin: string) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${admin}` };
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: VERIFY });
    const { data } = (await answer.json()) as {
      data: { verifyTeamsOrganizer: { verification: { outcome: string } | null; userErrors: { code: string }[] } };
    };
    return data.verifyTeamsOrganizer;
  };
  try {
    const admin = await activate(subgraph);
    const { process, url } = await startServer(subgraph, bytes);
    await subgraph.simulator.addFault({
      match: { method: 'DELETE', path: '/events/' },
      delayMs: 600_000,
      cut: 'before',
    });
    const killed = verify(url, admin).catch(() => 'no answer');
    await expect
      .poll(() => subgraph.simulator.requests({ method: 'DELETE', path: '/events/' }), { timeout: 10_000 })
      .toHaveLength(1);
    process.child.kill('SIGKILL');
    await process.ended;
    expect(await killed).toBe('no answer');
    await subgraph.simulator.clearFaults();
    expect(await calendar()).toHaveLength(1);

    await subgraph.runJobs({ early: true });
    expect(await calendar()).toEqual([]);
    // The dead one holds the tenant until its lease is over.
    subgraph.advanceClock(3 * 60_000);
    expect(await verify(subgraph.url, admin)).toEqual({ verification: { outcome: 'VERIFIED' }, userErrors: [] });
    expect(await calendar()).toEqual([]);
  } finally {
    await subgraph.close();
  }
});
