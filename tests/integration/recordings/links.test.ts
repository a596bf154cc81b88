import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createLinkSigner, type LinkSigner } from '../../../src/services/links/signed-links.ts';
import type { Viewer } from '../../../src/services/viewer.ts';
import { activate, mutate, type UserErrorAnswer } from '../../support/setup.ts';
import { admin, type Captured, CONTENT, recording, subgraph, useRecordings } from './support.ts';

const young = { id: 'young', bytes: randomBytes(32) };
const old = { id: 'old', bytes: randomBytes(32) };
const removed = { id: 'removed', bytes: randomBytes(32) };
useRecordings(async () => ({ services: { linkSigningKeys: [young, old], recordingLinkMinutes: 180 } }));

const permissions = new Set(['teams_artifact:read' as const]);
const technician: Viewer = { tenantId: 'tenant-a', id: 'sam', kind: 'msp', permissions };
const client = (clientId: string): Viewer => ({
  tenantId: 'tenant-a',
  id: 'jane',
  kind: 'client',
  clientId,
  contactId: undefined,
  permissions,
});

const signer = (keys = [young], minutes = 180): LinkSigner =>
  createLinkSigner(keys, subgraph.url, subgraph.services.clock, { recordingMinutes: minutes });
const linkFor = (viewer: Viewer, { id }: Captured, keys = [young]) => signer(keys).sign(viewer, 'recording', id).url;

/** Every way to ask for a recording. */
const WAYS: [string, RequestInit][] = [
  ['GET', {}],
  ['HEAD', { method: 'HEAD' }],
  ['a range', { headers: { range: 'bytes=0-9' } }],
  ['the last bytes', { headers: { range: 'bytes=-9' } }],
  ['a range beyond the end', { headers: { range: 'bytes=999999999-' } }],
  ['what is known', { headers: { 'if-none-match': '*' } }],
];

const showInPortal = (shown: boolean) =>
  subgraph.database.query('UPDATE teams_integrations SET show_artifacts_in_client_portal = $1', [shown]);

/** The link says nothing, whichever way it is used, and Microsoft is not asked. */
async function expectNothing(url: string): Promise<void> {
  await subgraph.simulator.clearRequests();
  for (const [way, init] of WAYS) {
    const response = await fetch(url, init);
    const headers = ['etag', 'content-range', 'accept-ranges', 'access-control-allow-origin'].map((name) =>
      response.headers.get(name),
    );
    expect([way, response.status, await response.text(), ...headers]).toEqual([way, 403, '', null, null, null, '*']);
  }
  expect(await subgraph.simulator.requests(CONTENT)).toEqual([]);
}

async function expectPlayable(url: string): Promise<void> {
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(url, { headers: { range: 'bytes=0-9' } })).status).toBe(206);
}

describe('the link of a recording', () => {
  it('signed by any key of the ring works, by a removed one it does not', async () => {
    const captured = await recording();
    await expectPlayable(linkFor(technician, captured, [young]));
    await expectPlayable(linkFor(technician, captured, [old]));
    await expectNothing(linkFor(technician, captured, [removed]));
    await expectNothing(linkFor(technician, captured, [{ ...removed, id: 'young' }]));
  });

  it('opens no other recording, no other purpose, and no other tenant’s', async () => {
    const [one, other] = [await recording(), await recording()];
    const token = new URL(linkFor(technician, one)).search;
    await expectNothing(`${subgraph.url}/recordings/${other.id}${token}`);
    const transcript = new URL(signer().sign(technician, 'transcript', one.id).url).search;
    await expectNothing(`${subgraph.url}/recordings/${one.id}${transcript}`);
    await activate(subgraph, 'tenant-b');
    await expectNothing(linkFor({ ...technician, tenantId: 'tenant-b' }, one));
    await expectPlayable(linkFor(technician, one));
  });

  it('is a client’s own only while the switch is on, each time it is used', async () => {
    const captured = await recording();
    const own = linkFor(client('client-acme'), captured);
    const foreign = linkFor(client('client-globex'), captured);
    await showInPortal(false);
    await expectNothing(own);
    await showInPortal(true);
    await expectPlayable(own);
    await expectNothing(foreign);
    await showInPortal(false);
    await expectNothing(own);
    await expectPlayable(linkFor(technician, captured));
  });

  it('of a recording that was deleted here says nothing', async () => {
    const captured = await recording();
    await subgraph.database.query('DELETE FROM meeting_recordings WHERE id = $1', [captured.id]);
    await expectNothing(linkFor(technician, captured));
  });
});

describe('an installation without a blob store', () => {
  const SWITCH =
    'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { downloadRecordings } userErrors { code message path remedy } } }';

  it('does not let copies be turned on, says what is missing, and changes nothing else either', async () => {
    const answer = await mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, SWITCH, {
      downloadRecordings: true,
      artifactRetentionDays: 77,
    });
    expect(answer.userErrors).toEqual([
      {
        code: 'NOT_CONFIGURED',
        message: expect.stringContaining('no store'),
        path: ['input', 'downloadRecordings'],
        remedy: expect.stringContaining('BLOB_STORE'),
      },
    ]);
    const [row] = await subgraph.database.query(
      'SELECT download_recordings, artifact_retention_days FROM teams_integrations',
    );
    expect(row).toEqual({ download_recordings: false, artifact_retention_days: null });
    expect(
      (await mutate<{ userErrors: unknown[] }>(subgraph, admin, SWITCH, { downloadRecordings: false })).userErrors,
    ).toEqual([]);
  });

  it('serves from Microsoft what was copied into a store that is not set any more', async () => {
    const captured = await recording();
    await subgraph.database.query("UPDATE meeting_recordings SET storage = 'INTERNAL' WHERE id = $1", [captured.id]);
    await expectPlayable(linkFor(technician, captured));
    await subgraph.simulator.deleteArtifact('11111111-1111-4111-8111-111111111111', captured.graphId);
    expect((await fetch(linkFor(technician, captured))).status).toBe(503);
  });
});

// Last, as the clock does not go back.
describe('the life of a recording’s link', () => {
  it('works as long as it is set to, and says so; those of transcripts stay short', async () => {
    const captured = await recording({ transcripts: 1 });
    const { data } = await subgraph.send<{
      teamsMeeting: {
        recordings: { contentUrlExpiresAt: string; contentUrl: string }[];
        transcripts: { vttUrl: string }[];
      };
    }>(
      await subgraph.tokens.token('technician'),
      'query ($id: ID!) { teamsMeeting(id: $id) { recordings { contentUrl contentUrlExpiresAt } transcripts { vttUrl } } }',
      { id: captured.meetingId },
    );
    const now = subgraph.services.clock().getTime();
    const minutes = (Date.parse(data?.teamsMeeting.recordings[0]?.contentUrlExpiresAt ?? '') - now) / 60_000;
    expect(minutes).toBeGreaterThan(179.9);
    expect(minutes).toBeLessThanOrEqual(181);
    const here = (link = '') => `${subgraph.url}${new URL(link).pathname}${new URL(link).search}`;
    const video = here(data?.teamsMeeting.recordings[0]?.contentUrl);
    const vtt = here(data?.teamsMeeting.transcripts[0]?.vttUrl);
    subgraph.advanceClock(17 * 60_000);
    expect((await fetch(vtt)).status).toBe(403);
    await expectPlayable(video);
    subgraph.advanceClock(165 * 60_000);
    await expectNothing(video);
  });
});
