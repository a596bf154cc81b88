import { describe, expect, it } from 'vitest';
import type { MeetingTookPlaceInput } from '../../../simulator/control.ts';
import { DIRECTORY, ORGANIZER, OTHER, type Reply, useSimulator, type Wire } from './support.ts';

const sim = useSimulator();
const MEETINGS = `/users/${ORGANIZER}/onlineMeetings`;
const YEAR = { startDateTime: '2030-01-01T00:00:00Z', endDateTime: '2031-01-01T00:00:00Z' };
const NAMES = ['getAllRecordings', 'getAllTranscripts'] as const;

function all(name: (typeof NAMES)[number], parameters: Record<string, string> = {}): string {
  const given = { meetingOrganizerUserId: `'${ORGANIZER}'`, ...YEAR, ...parameters };
  const text = Object.entries(given).map(([key, value]) => `${key}=${value}`);
  return `${MEETINGS}/${name}(${text.join(',')})`;
}

async function held(input: Partial<MeetingTookPlaceInput> = {}) {
  const { meetingId } = await sim.createMeeting();
  return sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, ...input });
}

function ids(items: { id: string }[]): string[] {
  return items.map(({ id }) => id);
}

/** Every page from the path on, and the last answer. */
async function pages(path: string): Promise<{ values: Wire[][]; last: Reply; deltaLink: string }> {
  const values: Wire[][] = [];
  for (let next: string | undefined = path; ; ) {
    const last: Reply = await sim.call('GET', next);
    expect(last.status).toBe(200);
    values.push(last.json.value);
    next = last.json['@odata.nextLink'];
    if (next === undefined) return { values, last, deltaLink: JSON.parse(last.text)['@odata.deltaLink'] };
  }
}

describe.each(NAMES)('%s', (name) => {
  const kind = name === 'getAllRecordings' ? 'recordings' : 'transcripts';

  it('lists what all meetings of the organizer have, oldest first', async () => {
    const later = await held({ startedAt: '2030-08-01T09:00:00Z' });
    const earlier = await held({ startedAt: '2030-07-01T09:00:00Z' });
    const { status, json } = await sim.call('GET', all(name));
    expect(status).toBe(200);
    expect(ids(json.value)).toEqual([...ids(earlier[kind]), ...ids(later[kind])]);
    expect(json.value[0]).toMatchObject({
      '@odata.type': `#microsoft.graph.call${kind === 'recordings' ? 'Recording' : 'Transcript'}`,
      meetingId: earlier.meetingId,
      callId: earlier.callId,
      meetingOrganizerId: ORGANIZER,
    });
  });

  it('keeps to the time, to what is available, and to meetings that have not expired', async () => {
    const inside = await held({ startedAt: '2030-07-01T09:00:00Z' });
    await held({ startedAt: '2029-07-01T09:00:00Z' });
    await held({ startedAt: '2030-07-01T09:00:00Z', availableAfterSeconds: 60 });
    const expired = await held({ startedAt: '2030-07-01T09:00:00Z' });
    await sim.control.expireMeeting(DIRECTORY, expired.meetingId);
    expect(ids((await sim.call('GET', all(name))).json.value)).toEqual(ids(inside[kind]));
  });

  it('needs an organizer, who is the user in the path, and times that are some', async () => {
    expect((await sim.call('GET', `${MEETINGS}/${name}(startDateTime=2030-01-01T00:00:00Z)`)).status).toBe(400);
    expect((await sim.call('GET', `${MEETINGS}/${name}()`)).status).toBe(400);
    expect((await sim.call('GET', all(name, { startDateTime: 'soon' }))).status).toBe(400);
    expect((await sim.call('GET', all(name, { meetingOrganizerUserId: `'${OTHER.organizer}'` }))).status).toBe(403);
  });

  it('needs its role and the Teams policy', async () => {
    const good = await sim.newToken();
    const wrong = name === 'getAllRecordings' ? 'OnlineMeetingTranscript.Read.All' : 'OnlineMeetingRecording.Read.All';
    const token = await sim.tokenWithRoles(wrong);
    for (const path of [all(name), `${all(name)}/delta`])
      expect((await sim.call('GET', path, { token })).status).toBe(403);
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await sim.call('GET', all(name), { token: good })).json.error.message).toBe(
      'No application access policy found for this app',
    );
  });

  it('has pages, which may begin with an empty one', async () => {
    const made = await held({ recordings: 5, transcripts: 5 });
    await sim.control.setPaging({ pageSize: 2, emptyPageFirst: true });
    const { values } = await pages(all(name));
    expect(values.map((page) => page.length)).toEqual([0, 2, 2, 1]);
    expect(ids(values.flat())).toEqual(ids(made[kind]));
    expect((await sim.call('GET', `${all(name)}?$skipToken=none`)).status).toBe(400);
  });

  it('may begin afresh after an empty page, so that items repeat', async () => {
    const made = await held({ recordings: 4, transcripts: 4 });
    await sim.control.setPaging({ pageSize: 2 });
    await sim.control.setCrossMeeting({ restartsAfterEmptyPage: true });
    const [a, b, c, d] = ids(made[kind]);
    expect((await pages(all(name))).values.map(ids)).toEqual([[a, b], [], [a, b], [c, d]]);
  });

  it('tells changes by delta: additions only', async () => {
    const first = await held();
    const begin = await pages(`${all(name)}/delta`);
    expect(ids(begin.values.flat())).toEqual(ids(first[kind]));
    expect((await pages(begin.deltaLink)).values.flat()).toEqual([]);

    await sim.control.deleteArtifact(DIRECTORY, first[kind][0]?.id ?? '');
    const second = await held({ startedAt: '2030-06-01T09:00:00Z' });
    const next = await pages(begin.deltaLink);
    expect(ids(next.values.flat())).toEqual(ids(second[kind]));
    expect((await pages(next.deltaLink)).values.flat()).toEqual([]);
  });

  it('tells by delta what becomes available after its creation', async () => {
    const late = await held({ startedAt: '2030-07-01T09:00:00Z', availableAfterSeconds: 600 });
    const begin = await pages(`${all(name)}/delta`);
    expect(begin.values.flat()).toEqual([]);
    await sim.control.setClock(new Date('2030-07-01T12:00:00Z'));
    // The token that was valid has lapsed with the jump of the clock.
    const token = await sim.newToken();
    const { json } = await sim.call('GET', begin.deltaLink, { token });
    expect(ids(json.value)).toEqual(ids(late[kind]));
  });

  it('may repeat by delta what was told before', async () => {
    const first = await held();
    const { deltaLink } = await pages(`${all(name)}/delta`);
    await sim.control.setCrossMeeting({ deltaRepeats: true });
    const second = await held({ startedAt: '2030-08-01T09:00:00Z' });
    expect(ids((await pages(deltaLink)).values.flat())).toEqual([...ids(first[kind]), ...ids(second[kind])]);
  });

  it('refuses a filter beside a token, and a token that is forgotten or of the other kind', async () => {
    await held();
    const { deltaLink } = await pages(`${all(name)}/delta`);
    const filtered = await sim.call('GET', `${deltaLink}&$filter=${encodeURIComponent("callId eq 'x'")}`);
    expect([filtered.status, filtered.json.error.innerError.code]).toEqual([400, 'DeltaFilterNotAllowed']);
    const otherKind =
      name === 'getAllRecordings' ? deltaLink.replace(name, NAMES[1]) : deltaLink.replace(name, NAMES[0]);
    expect((await sim.call('GET', otherKind)).status).toBe(410);
    await sim.control.expireDeltaTokens();
    expect((await sim.call('GET', deltaLink)).status).toBe(410);
  });
});

describe('known issues and switches', () => {
  it('leave out recordings of calls without transcription', async () => {
    const transcribed = await held();
    await held({ transcripts: 0 });
    expect((await sim.call('GET', all('getAllRecordings'))).json.value).toHaveLength(2);
    await sim.control.setCrossMeeting({ recordingsWithoutTranscript: 'leftOut' });
    const { json } = await sim.call('GET', all('getAllRecordings'));
    expect(ids(json.value)).toEqual(ids(transcribed.recordings));
  });

  it('refuse all transcripts where Graph has no access to them', async () => {
    await held();
    await sim.control.updateDirectory(DIRECTORY, { graphTranscriptAccess: false });
    for (const path of [all('getAllTranscripts'), `${all('getAllTranscripts')}/delta`]) {
      const { status, json } = await sim.call('GET', path);
      expect([status, json.error.innerError]).toEqual([403, { code: 'GraphAccessToTranscriptsDisabled' }]);
    }
    expect((await sim.call('GET', all('getAllRecordings'))).json.value).toHaveLength(1);
  });
});
