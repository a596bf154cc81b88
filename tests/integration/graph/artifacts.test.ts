import { describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput, MeetingTookPlaceResult, SimulatorControl } from '../../../simulator/control.ts';
import type { GraphArtifactChanges, GraphClient, GraphMeetingArtifacts } from '../../../src/graph/types.ts';
import { CLIENT, DIRECTORY, draft, ORGANIZER, ROLES, useGraph } from './support.ts';

const WINDOW = { startsAt: new Date('2036-01-01T00:00:00Z'), endsAt: new Date('2037-01-01T00:00:00Z') };
const KINDS = ['recordings', 'transcripts'] as const;

let control: SimulatorControl;
let client: GraphClient;
let waits: number[];
let url: string;

useGraph((parts) => {
  ({ client, waits } = parts);
  ({ control, url } = parts.simulator);
});

let created = 0;
async function held(input: Partial<MeetingTookPlaceInput> = {}): Promise<MeetingTookPlaceResult> {
  created += 1;
  const { joinUrl } = await client.events.create(ORGANIZER, draft({ transactionId: `held-${created}` }));
  return control.meetingTookPlace({ directoryId: DIRECTORY, joinUrl: joinUrl ?? '', ...input });
}

/** So many meetings in the calendar, made as quickly as Graph allows. */
async function meetings(count: number): Promise<string[]> {
  const credentials = { client_id: CLIENT, client_secret: 'secret', grant_type: 'client_credentials' };
  const form = new URLSearchParams({ ...credentials, scope: 'https://graph.microsoft.com/.default' });
  const asked = await fetch(`${url}/${DIRECTORY}/oauth2/v2.0/token`, { method: 'POST', body: form });
  const { access_token }: { access_token: string } = JSON.parse(await asked.text());
  const time = { dateTime: '2036-12-01T09:00:00', timeZone: 'UTC' };
  const body = {
    subject: 'x',
    start: time,
    end: time,
    isOnlineMeeting: true,
    onlineMeetingProvider: 'teamsForBusiness',
  };
  for (let made = 0; made < count; made += 20) {
    const requests = Array.from({ length: Math.min(20, count - made) }, (_, id) => ({
      id: String(id),
      method: 'POST',
      url: `/users/${ORGANIZER}/events`,
      headers: { 'content-type': 'application/json' },
      body,
    }));
    const headers = { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' };
    await fetch(`${url}/v1.0/$batch`, { method: 'POST', headers, body: JSON.stringify({ requests }) });
  }
  const all = await control.listMeetings(DIRECTORY, ORGANIZER);
  expect(all).toHaveLength(count);
  await control.clearRequests();
  return all.map(({ id }) => id);
}

async function roundTrips(): Promise<number> {
  return (await control.requests({ host: 'graph' })).length;
}

function ids(items: readonly { id: string }[] | undefined): string[] | undefined {
  return items?.map(({ id }) => id);
}

function kinds(artifacts: GraphMeetingArtifacts | undefined): (string | undefined)[] {
  return KINDS.map((kind) => artifacts?.[kind].error?.kind);
}

describe('listOfMeetings', () => {
  it('reads 1,000 meetings in 100 round trips', async () => {
    const all = await meetings(1_000);
    const busy = [all[0], all[500], all[999]].map((meetingId = '') => meetingId);
    const made = await Promise.all(
      busy.map((meetingId) => control.meetingTookPlace({ directoryId: DIRECTORY, meetingId })),
    );
    const found = await client.artifacts.listOfMeetings(ORGANIZER, all);
    expect(await roundTrips()).toBe(100);
    expect(found.size).toBe(1_000);
    for (const { meetingId, recordings, transcripts } of made) {
      expect(ids(found.get(meetingId)?.recordings.value)).toEqual(ids(recordings));
      expect(ids(found.get(meetingId)?.transcripts.value)).toEqual(ids(transcripts));
    }
    const idle = [...found].filter(([meeting]) => !busy.includes(meeting));
    const isEmpty = ({ recordings, transcripts }: GraphMeetingArtifacts) =>
      recordings.value?.length === 0 && transcripts.value?.length === 0;
    expect(idle.every(([, artifacts]) => isEmpty(artifacts))).toBe(true);
  }, 60_000);

  it('asks once for a meeting that is named twice, and not at all for none', async () => {
    const { meetingId } = await held();
    await control.clearRequests();
    expect((await client.artifacts.listOfMeetings(ORGANIZER, [])).size).toBe(0);
    expect(await roundTrips()).toBe(0);
    expect((await client.artifacts.listOfMeetings(ORGANIZER, [meetingId, meetingId])).size).toBe(1);
    expect(await control.requests({ host: 'graph' })).toMatchObject([{ body: { requests: { length: 2 } } }]);
  });

  it('follows the pages of a busy meeting only, over empty ones too', async () => {
    const busy = await held({ recordings: 5, transcripts: 3 });
    const calm = await held();
    await control.setPaging({ pageSize: 2, emptyPageFirst: true });
    await control.clearRequests();
    const found = await client.artifacts.listOfMeetings(ORGANIZER, [busy.meetingId, calm.meetingId]);
    expect(ids(found.get(busy.meetingId)?.recordings.value)).toEqual(ids(busy.recordings));
    expect(ids(found.get(busy.meetingId)?.transcripts.value)).toEqual(ids(busy.transcripts));
    expect(ids(found.get(calm.meetingId)?.recordings.value)).toEqual(ids(calm.recordings));
    // An empty page each, then a page each, and the further ones of the busy meeting.
    expect(await roundTrips()).toBe(4);
  });

  it('keeps the calls of one meeting apart', async () => {
    const first = await held();
    await control.meetingTookPlace({ directoryId: DIRECTORY, meetingId: first.meetingId });
    const found = await client.artifacts.listOfMeetings(ORGANIZER, [first.meetingId]);
    const calls = found.get(first.meetingId)?.recordings.value?.map(({ callId }) => callId);
    expect(new Set(calls).size).toBe(2);
  });
});

describe('each refusal is told as of a single call', () => {
  const list = async (meetingId: string) =>
    kinds((await client.artifacts.listOfMeetings(ORGANIZER, [meetingId])).get(meetingId));

  it('a missing role, of one kind only', async () => {
    const { meetingId } = await held();
    const roles = ROLES.filter((role) => role !== 'OnlineMeetingRecording.Read.All');
    await control.updateApp(DIRECTORY, CLIENT, { roles });
    // The cached token is refused once, and the next one has the new roles.
    await control.addFault({ match: { path: String.raw`/\$batch$` }, status: 401 });
    expect(await list(meetingId)).toEqual(['ROLE_MISSING', undefined]);
  });

  it('a missing Teams policy', async () => {
    const { meetingId } = await held();
    await control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect(await list(meetingId)).toEqual(['TEAMS_POLICY_MISSING', 'TEAMS_POLICY_MISSING']);
  });

  it('transcripts that Graph has no access to, while recordings are read', async () => {
    const { meetingId } = await held();
    await control.updateDirectory(DIRECTORY, { graphTranscriptAccess: false });
    expect(await list(meetingId)).toEqual([undefined, 'TRANSCRIPT_ACCESS_DISABLED']);
  });

  it('transcripts without attribution are listed like others', async () => {
    const { meetingId } = await held();
    await control.updateDirectory(DIRECTORY, { attributedTranscripts: false });
    expect(await list(meetingId)).toEqual([undefined, undefined]);
  });

  it('a meeting that has expired, is unknown or has no id at all, beside one that is there', async () => {
    const [expired, fine] = [await held(), await held()];
    await control.expireMeeting(DIRECTORY, expired.meetingId);
    const unknown = Buffer.from(`1*${ORGANIZER}*0**19:meeting_none@thread.v2`).toString('base64');
    const wanted = [expired.meetingId, unknown, 'garbage', '..', '', fine.meetingId];
    const found = await client.artifacts.listOfMeetings(ORGANIZER, wanted);
    expect(wanted.map((id) => found.get(id)?.recordings.error?.kind)).toEqual([
      'NOT_FOUND',
      'NOT_FOUND',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
      undefined,
    ]);
  });
});

describe('trouble in a batch', () => {
  it('is one list’s alone, after the longest wait that was asked for', async () => {
    const all = [await held(), await held(), await held()];
    const throttle = (index: number, kind: string, seconds: number) => {
      const path = `${all[index]?.meetingId}/${kind}$`.replace('+', String.raw`\+`);
      return control.addFault({ match: { path }, status: 429, headers: { 'retry-after': String(seconds) } });
    };
    await throttle(0, 'recordings', 2);
    await throttle(1, 'transcripts', 9);
    await control.clearRequests();
    const found = await client.artifacts.listOfMeetings(
      ORGANIZER,
      all.map(({ meetingId }) => meetingId),
    );
    expect([...found.values()].flatMap(kinds)).toEqual(Array(6).fill(undefined));
    expect(waits).toEqual([9_000]);
    const [first, second, ...more] = await control.requests({ host: 'graph' });
    expect(more).toEqual([]);
    expect(first?.body).toMatchObject({ requests: { length: 6 } });
    expect(second?.body).toMatchObject({ requests: { length: 2 } });
  });

  it('renews the token once for all that were refused with 401', async () => {
    const all = [await held(), await held()];
    await control.addFault({ match: { path: '/recordings$' }, times: 2, status: 401 });
    await control.clearRequests();
    const found = await client.artifacts.listOfMeetings(
      ORGANIZER,
      all.map(({ meetingId }) => meetingId),
    );
    expect([...found.values()].flatMap(kinds)).toEqual(Array(4).fill(undefined));
    expect(await control.requests({ host: 'entra' })).toHaveLength(1);
    expect(await roundTrips()).toBe(2);
  });

  it('survives a connection that is cut, before and after the work', async () => {
    const { meetingId } = await held();
    for (const cut of ['before', 'after'] as const) {
      await control.addFault({ match: { path: String.raw`/\$batch$` }, cut });
      const found = await client.artifacts.listOfMeetings(ORGANIZER, [meetingId]);
      expect(kinds(found.get(meetingId))).toEqual([undefined, undefined]);
    }
  });

  it('ends with the reason of the caller’s signal', async () => {
    const { meetingId } = await held();
    const controller = new AbortController();
    await control.addFault({ match: { path: String.raw`/\$batch$` }, delayMs: 60_000 });
    const reading = client.artifacts.listOfMeetings(ORGANIZER, [meetingId], { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await control.clearFaults();
  });
});

describe.each(KINDS)('changes of %s', (kind) => {
  const begin = () => client.artifacts.changes(kind, ORGANIZER, WINDOW);
  const next = ({ deltaLink }: GraphArtifactChanges) => client.artifacts.changes(kind, ORGANIZER, { deltaLink });

  it('begin with everything in the window, and go on with what is new', async () => {
    const first = await held();
    await held({ startedAt: '2035-12-01T09:00:00Z' });
    const begun = await begin();
    expect([ids(begun.artifacts), begun.isFullRead]).toEqual([ids(first[kind]), true]);
    expect(begun.artifacts[0]).toMatchObject({ meetingId: first.meetingId, callId: first.callId });
    const idle = await next(begun);
    expect([idle.artifacts, idle.isFullRead]).toEqual([[], false]);
    const second = await held();
    expect(ids((await next(idle)).artifacts)).toEqual(ids(second[kind]));
  });

  it('survive empty pages, restarts and repetitions', async () => {
    const first = await held({ recordings: 5, transcripts: 5 });
    await control.setPaging({ pageSize: 2 });
    await control.setCrossMeeting({ restartsAfterEmptyPage: true, deltaRepeats: true });
    const begun = await begin();
    expect(ids(begun.artifacts)).toEqual(ids(first[kind]));
    await control.setPaging({ pageSize: 2, emptyPageFirst: true });
    const second = await held();
    const last = first[kind].at(-1)?.id ?? '';
    expect(ids((await next(begun)).artifacts)).toEqual([last, ...(ids(second[kind]) ?? [])]);
  });

  it('begin afresh when Microsoft has forgotten the token and the window is given', async () => {
    const first = await held();
    const begun = await begin();
    const second = await held({ startedAt: '2036-12-02T09:00:00Z' });
    await control.expireDeltaTokens();
    const again = await client.artifacts.changes(kind, ORGANIZER, { ...WINDOW, deltaLink: begun.deltaLink });
    expect(ids(again.artifacts)).toEqual([...first[kind], ...second[kind]].map(({ id }) => id));
    expect(again.isFullRead).toBe(true);
    expect((await next(again)).isFullRead).toBe(false);
  });

  it('say that the token is forgotten when there is no window to read', async () => {
    const begun = await begin();
    await control.expireDeltaTokens();
    await expect(next(begun)).rejects.toMatchObject({ kind: 'NOT_FOUND' });
  });

  it('never send the token to an address that is not Graph’s', async () => {
    const elsewhere = { deltaLink: 'https://graph.microsoft.example/v1.0/delta?$deltaToken=x' };
    await expect(client.artifacts.changes(kind, ORGANIZER, elsewhere)).rejects.toMatchObject({ kind: 'NOT_FOUND' });
  });

  it('fail for their cause, and the other kind does not', async () => {
    await held();
    await control.updateDirectory(DIRECTORY, { graphTranscriptAccess: false });
    const wanted = kind === 'recordings' ? undefined : 'TRANSCRIPT_ACCESS_DISABLED';
    expect(await begin().catch((error: unknown) => error)).toMatchObject(
      wanted === undefined ? { isFullRead: true } : { kind: wanted },
    );
    await control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    await expect(begin()).rejects.toMatchObject({ kind: 'TEAMS_POLICY_MISSING' });
  });
});
