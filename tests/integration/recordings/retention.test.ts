import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type BlobStore, BlobStoreError } from '../../../src/blobs/blob-store.ts';
import { openBlobStore } from '../../../src/blobs/open-blob-store.ts';
import { mutate, REFRESH, type UserErrorAnswer } from '../../support/setup.ts';
import { admin, type Captured, recording, subgraph, useRecordings } from './support.ts';

const DAY_MS = 24 * 3_600_000;
let folder: string;
let blobs: BlobStore;
let spoiled: Partial<BlobStore> = {};
useRecordings(async () => {
  folder = await mkdtemp(join(tmpdir(), 'retention-'));
  blobs = await openBlobStore({ kind: 'file', folder });
  const spoilable = new Proxy(blobs, { get: (target, name: keyof BlobStore) => spoiled[name] ?? target[name] });
  return { services: { blobs: spoilable } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const UPDATE =
  'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { artifactRetentionDays } userErrors { code } } }';
const update = (input: object) => mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE, input);

/** A call of so many days ago, with a recording and a transcript, both captured. */
const daysAgo = (days: number) =>
  recording({ transcripts: 1, startedAt: new Date(Date.now() - days * DAY_MS).toISOString(), durationSeconds: 600 });

const applyRetention = () =>
  subgraph.services.applyRetention({
    viewer: { tenantId: 'tenant-a', id: 'background', kind: 'service', permissions: new Set() },
    db: subgraph.db.forTenant('tenant-a'),
  });

async function rowsOf({ meetingId }: Captured): Promise<{ recordings: number; transcripts: number }> {
  const [row] = await subgraph.database.query<{ recordings: number; transcripts: number }>(
    `SELECT (SELECT count(*)::int FROM meeting_recordings WHERE meeting_id = $1) AS recordings,
            (SELECT count(*)::int FROM meeting_transcripts WHERE meeting_id = $1) AS transcripts`,
    [meetingId],
  );
  return row ?? { recordings: -1, transcripts: -1 };
}

const KEPT = { recordings: 1, transcripts: 1 };
const DELETED = { recordings: 0, transcripts: 0 };

const waitOfJob = async () => {
  const [job] = await subgraph.database.query<{ hours: number }>(
    "SELECT round(extract(epoch FROM run_at - now()) / 3600)::int AS hours FROM graphile_worker.jobs WHERE key = 'apply_retention:tenant-a:all'",
  );
  return job?.hours;
};

describe('retention', () => {
  it.each([0, null])('of %s days keeps everything', async (artifactRetentionDays) => {
    await update({ artifactRetentionDays });
    const old = await daysAgo(4_000);
    await applyRetention();
    expect(await rowsOf(old)).toEqual(KEPT);
    await update({ artifactRetentionDays: 10 });
    await applyRetention();
    expect(await rowsOf(old)).toEqual(DELETED);
  });

  it('deletes what is older and its copy, keeps what is younger, and tells the audit trail with ids only', async () => {
    await update({ artifactRetentionDays: 30, downloadRecordings: true });
    const old = await daysAgo(31);
    const young = await daysAgo(29);
    await subgraph.database.query(
      "UPDATE graphile_worker._private_jobs SET run_at = now() WHERE key LIKE 'store_recording:%'",
    );
    await subgraph.runJobs();
    const key = `tenant-a/${old.id}`;
    expect(await blobs.stat(key)).not.toBeNull();
    const [transcript] = await subgraph.database.query<{ id: string }>(
      'SELECT id FROM meeting_transcripts WHERE meeting_id = $1',
      [old.meetingId],
    );
    await applyRetention();
    expect([await rowsOf(old), await rowsOf(young)]).toEqual([DELETED, KEPT]);
    expect(await blobs.stat(key)).toBeNull();
    expect(await blobs.stat(`tenant-a/${young.id}`)).not.toBeNull();
    expect((await fetch(old.url)).status).toBe(403);
    const audits = await subgraph.database.query<{ detail: object; actor: string; outcome: string }>(
      "SELECT detail, actor, outcome FROM audit_events WHERE operation = 'retention' ORDER BY at DESC, id DESC LIMIT 2",
    );
    expect(audits).toEqual(
      expect.arrayContaining([
        { actor: 'service:background', outcome: 'success', detail: { kind: 'recordings', count: 1, ids: [old.id] } },
        {
          actor: 'service:background',
          outcome: 'success',
          detail: { kind: 'transcripts', count: 1, ids: [transcript?.id] },
        },
      ]),
    );
  });

  it('does not let what it deleted come back with the next capture', async () => {
    await update({ artifactRetentionDays: 30 });
    const old = await daysAgo(40);
    await applyRetention();
    expect(await rowsOf(old)).toEqual(DELETED);
    const answer = await mutate<{ newRecordings: number; newTranscripts: number }>(subgraph, admin, REFRESH, {
      meetingId: old.meetingId,
    });
    expect([answer.newRecordings, answer.newTranscripts]).toEqual([0, 0]);
    expect(await rowsOf(old)).toEqual(DELETED);
  });

  it('keeps the row where the copy could not be deleted, and deletes both the next time', async () => {
    await update({ artifactRetentionDays: 30, downloadRecordings: true });
    const old = await daysAgo(33);
    await subgraph.runJobs();
    spoiled = {
      delete: async () => {
        throw new BlobStoreError('S3 did not delete a blob (SlowDown)');
      },
    };
    await applyRetention();
    expect(await rowsOf(old)).toEqual({ recordings: 1, transcripts: 0 });
    spoiled = {};
    await applyRetention();
    expect(await rowsOf(old)).toEqual(DELETED);
    expect(await blobs.stat(`tenant-a/${old.id}`)).toBeNull();
  });

  it('goes through more than one batch in one run', async () => {
    await update({ artifactRetentionDays: 30 });
    const old = await daysAgo(50);
    await subgraph.database.query(
      `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at)
       SELECT 'tenant-a', gen_random_uuid(), $1, 'many-' || n, now() - interval '50 days' FROM generate_series(1, 120) n`,
      [old.meetingId],
    );
    await applyRetention();
    expect(await rowsOf(old)).toEqual(DELETED);
    const [tombs] = await subgraph.database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM artifact_tombstones WHERE meeting_id = $1 AND kind = 'RECORDING'",
      [old.meetingId],
    );
    expect(tombs?.count).toBe(121);
  });

  it('touches no other tenant', async () => {
    await update({ artifactRetentionDays: 30 });
    const old = await daysAgo(60);
    const other = randomUUID();
    await subgraph.database.query(
      `INSERT INTO online_meetings (tenant_id, id, appointment_id, status, subject, starts_at, ends_at, time_zone, organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
       SELECT 'tenant-x', $1, 'x', 'SCHEDULED', 's', now(), now() + interval '1 hour', 'UTC', 'o@x', 't', 'h', 'u', now(), now()`,
      [other],
    );
    await subgraph.database.query(
      "INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at) VALUES ('tenant-x', $1, $1, 'g', now() - interval '900 days')",
      [other],
    );
    await applyRetention();
    expect(await rowsOf(old)).toEqual(DELETED);
    expect(await subgraph.database.query('SELECT 1 FROM meeting_recordings WHERE id = $1', [other])).toHaveLength(1);
  });

  it('runs a day after it was changed, which leaves a day to mend a slip, and then daily', async () => {
    await update({ artifactRetentionDays: 31 });
    expect(await waitOfJob()).toBe(24);
    await subgraph.database.query(
      "UPDATE graphile_worker._private_jobs SET run_at = now() + interval '2 hours' WHERE key = 'apply_retention:tenant-a:all'",
    );
    await subgraph.services.sweepTenant({
      viewer: { tenantId: 'tenant-a', id: 'background', kind: 'service', permissions: new Set() },
      db: subgraph.db.forTenant('tenant-a'),
    });
    expect(await waitOfJob()).toBe(2);
    await update({ artifactRetentionDays: 60 });
    expect(await waitOfJob()).toBe(24);
    await subgraph.runJobs({ early: true });
    expect(await waitOfJob()).toBe(24);
  });
});

describe('blobs without a recording', () => {
  const put = async (key: string, ageMs: number) => {
    const upload = { key, id: await blobs.begin(key) };
    await blobs.complete(upload, [await blobs.putPart(upload, { number: 1, offset: 0, bytes: Buffer.from('x') })]);
    const at = new Date(Date.now() - ageMs);
    await utimes(join(folder, key), at, at);
    return key;
  };

  it('are deleted when they are a day old; what is young, not ours, or another tenant’s stays', async () => {
    const orphan = await put(`tenant-a/${randomUUID()}`, 2 * DAY_MS);
    const young = await put(`tenant-a/${randomUUID()}`, DAY_MS / 2);
    const foreign = await put('tenant-a/notes.txt', 2 * DAY_MS);
    const other = await put(`tenant-b/${randomUUID()}`, 2 * DAY_MS);
    const known = await put(`tenant-a/${(await daysAgo(1)).id}`, 2 * DAY_MS);
    await applyRetention();
    const there = await Promise.all([orphan, young, foreign, other, known].map((key) => blobs.stat(key)));
    expect(there.map((one) => one !== null)).toEqual([false, true, true, true, true]);
  });
});

describe('rows of finished work', () => {
  const ago = (days: number) => new Date(Date.now() - days * DAY_MS);

  it('are deleted 30 days after they were done with, and no others', async () => {
    const { meetingId } = await daysAgo(1);
    const { query } = subgraph.database;
    for (const [id, applied] of [
      ['psa-old', ago(31)],
      ['psa-young', ago(29)],
      ['psa-open', null],
    ] as const) {
      await query(
        "INSERT INTO psa_events (tenant_id, id, type, subject_id, data, occurred_at, received_at, applied_at) VALUES ('tenant-a', $1, 't', 's', '{}', $2, $2, $3)",
        [id, ago(90), applied],
      );
    }
    for (const [type, delivered] of [
      ['out-old', ago(31)],
      ['out-young', ago(29)],
      ['out-open', null],
    ] as const) {
      await query(
        "INSERT INTO outgoing_events (tenant_id, id, meeting_id, type, data, created_at, delivered_at) VALUES ('tenant-a', gen_random_uuid(), $1, $2, '{}', $3, $4)",
        [meetingId, type, ago(90), delivered],
      );
    }
    const past = randomUUID();
    await query(
      `INSERT INTO online_meetings (tenant_id, id, appointment_id, status, subject, starts_at, ends_at, time_zone, organizer_upn, transaction_id, input_hash, created_by, created_at, updated_at)
       VALUES ('tenant-a', $1, 'past', 'SCHEDULED', 's', $2, $3, 'UTC', 'o@x', 't', 'h', 'u', $2, $2)`,
      [past, ago(90), ago(89)],
    );
    const mail = (meeting: string, address: string, sent: Date | null, error: string | null, created = ago(90)) =>
      query(
        "INSERT INTO invitation_mails (tenant_id, id, meeting_id, email_address, method, sequence, created_at, sent_at, last_error) VALUES ('tenant-a', gen_random_uuid(), $1, $2, 'REQUEST', 1, $3, $4, $5)",
        [meeting, address, created, sent, error],
      );
    await mail(past, 'sent-old', ago(80), null);
    await mail(past, 'given-up-old', null, 'refused');
    await mail(past, 'sent-young', ago(3), null);
    await mail(past, 'open', null, null);
    await mail(meetingId, 'meeting-to-come', ago(80), null);
    const job = async (tenant: string, key: string, runAt: Date, attempts: number) => {
      await query(
        "SELECT graphile_worker.add_job('sweep_tenant', json_build_object('tenantId', $1::text), job_key => $2)",
        [tenant, key],
      );
      await query('UPDATE graphile_worker._private_jobs SET run_at = $2, attempts = $3 WHERE key = $1', [
        key,
        runAt,
        attempts,
      ]);
    };
    await job('tenant-a', 'job-given-up-old', ago(31), 25);
    await job('tenant-a', 'job-given-up-young', ago(29), 25);
    await job('tenant-a', 'job-waiting', ago(90), 24);
    await job('tenant-b', 'job-of-another', ago(90), 25);
    await applyRetention();
    const left = async (sql: string) => (await query<{ name: string }>(sql)).map(({ name }) => name).sort();
    expect(await left("SELECT id AS name FROM psa_events WHERE id LIKE 'psa-%'")).toEqual(['psa-open', 'psa-young']);
    expect(await left("SELECT type AS name FROM outgoing_events WHERE type LIKE 'out-%'")).toEqual([
      'out-open',
      'out-young',
    ]);
    expect(await left("SELECT key AS name FROM graphile_worker._private_jobs WHERE key LIKE 'job-%'")).toEqual([
      'job-given-up-young',
      'job-of-another',
      'job-waiting',
    ]);
    expect(
      await left("SELECT email_address AS name FROM invitation_mails WHERE created_at < now() - interval '60 days'"),
    ).toEqual(['meeting-to-come', 'open', 'sent-young']);
  });
});
