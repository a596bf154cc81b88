import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BlobStoreLocation } from '../../src/blobs/location.ts';
import { openBlobStore } from '../../src/blobs/open-blob-store.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { activate, createMeeting, MICROSOFT, mutate, REFRESH } from '../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../support/tokens.ts';
import { type Run, start } from './process.ts';

const PART = 8 * 1024 * 1024;
const SIZE = 5 * PART + 12_345;
const CONTENT = { path: '/recordings/.+/content$' };

const processes: Run[] = [];
let directory: string;
let s3: S3Server;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-recording-'));
  s3 = await startS3('recordings');
});
afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await Promise.all(processes.map(({ ended }) => ended));
  await s3.close();
  await rm(directory, { recursive: true, force: true });
});

interface Place {
  location: BlobStoreLocation;
  address: string;
}

const PLACES: Record<'file' | 's3', () => Place> = {
  file: () => {
    const folder = join(directory, 'blobs');
    return { location: { kind: 'file', folder }, address: pathToFileURL(folder).href };
  },
  s3: () => ({
    location: s3.location('teams/'),
    address: `s3://recordings/teams?endpoint=${encodeURIComponent(s3.url)}`,
  }),
};

/** A worker process of its own on the same database, as it runs in production. */
async function startWorker(subgraph: TestSubgraph, encryptionKey: Buffer, address: string): Promise<Run> {
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  const worker = start('src/main.ts', [], {
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
    BLOB_STORE: address,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  processes.push(worker);
  return worker;
}

describe.each(['file', 's3'] as const)('a process that is killed while it copies a recording (%s)', (kind) => {
  it('is followed by one that goes on from the part that was reached', async () => {
    const { location, address } = PLACES[kind]();
    const blobs = await openBlobStore(location);
    const bytes = randomBytes(32);
    const subgraph = await startTestSubgraph({ services: { blobs, encryptionKeys: [{ id: 'test', bytes }] } });
    const admin = await activate(subgraph, 'tenant-a', { downloadRecordings: true });
    const meeting = await createMeeting(subgraph, admin, { appointmentId: `killed-${kind}` });
    await subgraph.simulator.meetingTookPlace({
      directoryId: MICROSOFT['tenant-a'].directoryId,
      joinUrl: meeting.joinUrl ?? '',
      transcripts: 0,
      minRecordingBytes: SIZE,
    });
    const answer = await mutate<{ meeting: { recordings: { contentUrl: string }[] } }>(subgraph, admin, REFRESH, {
      meetingId: meeting.id,
    });
    const url = reachable(subgraph, answer.meeting.recordings[0]?.contentUrl ?? '');
    const all = Buffer.from(await (await fetch(url)).arrayBuffer());

    const partsThere = async () => {
      const rows = await subgraph.database.query<{ parts: unknown[] }>('SELECT parts FROM recording_copies');
      return rows[0]?.parts.length ?? 0;
    };
    await subgraph.simulator.addFault({ match: CONTENT, chunkDelayMs: 1 });
    const worker = await startWorker(subgraph, bytes, address);
    await vi.waitFor(async () => expect(await partsThere()).toBeGreaterThan(1), { timeout: 60_000, interval: 20 });
    worker.child.kill('SIGKILL');
    await worker.ended;
    const reached = await partsThere();
    expect(reached).toBeLessThan(6);

    // What the workers that live do with the jobs of a dead one, after its time is over.
    await subgraph.database.query(
      'SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT locked_by)) FROM graphile_worker.jobs WHERE locked_by IS NOT NULL',
    );
    await subgraph.simulator.clearFaults();
    await subgraph.simulator.clearRequests();
    await subgraph.runJobs();
    const asked = (await subgraph.simulator.requests(CONTENT)).map(({ headers }) => headers.range);
    expect(asked).toEqual([`bytes=${reached * PART}-`]);
    const [row] = await subgraph.database.query<{ storage: string }>('SELECT storage FROM meeting_recordings');
    expect(row?.storage).toBe('INTERNAL');
    await subgraph.simulator.clearRequests();
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(all)).toBe(true);
    expect(await subgraph.simulator.requests(CONTENT)).toEqual([]);
    await subgraph.close();
    blobs.close();
  }, 120_000);
});

describe('a process that is told to stop while it copies a recording', () => {
  it('ends soon, and leaves the rest to another', async () => {
    const { location, address } = PLACES.file();
    const blobs = await openBlobStore(location);
    const bytes = randomBytes(32);
    const subgraph = await startTestSubgraph({ services: { blobs, encryptionKeys: [{ id: 'test', bytes }] } });
    const admin = await activate(subgraph, 'tenant-a', { downloadRecordings: true });
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'stopped' });
    await subgraph.simulator.meetingTookPlace({
      directoryId: MICROSOFT['tenant-a'].directoryId,
      joinUrl: meeting.joinUrl ?? '',
      transcripts: 0,
      minRecordingBytes: 20 * PART,
    });
    await mutate(subgraph, admin, REFRESH, { meetingId: meeting.id });
    await subgraph.simulator.addFault({ match: CONTENT, chunkDelayMs: 1, times: 100 });
    const worker = await startWorker(subgraph, bytes, address);
    const parts = async () =>
      (await subgraph.database.query<{ parts: unknown[] }>('SELECT parts FROM recording_copies'))[0]?.parts.length ?? 0;
    await vi.waitFor(async () => expect(await parts()).toBeGreaterThan(0), { timeout: 60_000, interval: 20 });
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(await parts()).toBeLessThan(21);
    const jobs = await subgraph.database.query(
      "SELECT 1 FROM graphile_worker.jobs WHERE task_identifier = 'store_recording' AND locked_by IS NULL",
    );
    expect(jobs).toHaveLength(1);
    await subgraph.close();
    blobs.close();
  }, 120_000);
});
