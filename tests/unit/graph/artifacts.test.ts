import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Answerer,
  type FakeMicrosoft,
  graphError,
  json,
  serviceFor,
  startFakeMicrosoft,
} from './fake-microsoft.ts';

const USER = 'aaaaaaaa-0000-4000-8000-00000000000a';
const WINDOW = { startsAt: new Date('2036-01-01T00:00:00Z'), endsAt: new Date('2037-01-01T00:00:00Z') };

let fake: FakeMicrosoft;

beforeAll(async () => {
  fake = await startFakeMicrosoft();
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.graphRequests.length = 0;
});

function artifact(id: string): Record<string, unknown> {
  return { id, createdDateTime: '2036-12-01T09:00:00.0000000Z' };
}

function link(token: string): string {
  return `${fake.url}/v1.0/users/x/onlineMeetings/getAllRecordings()/delta?${token}`;
}

describe('changes', () => {
  const changes = (deltaLink?: string) =>
    serviceFor(fake).client.artifacts.changes('recordings', USER, { ...WINDOW, deltaLink });

  it('ask for the organizer and the window, and never for a page size', async () => {
    fake.answerGraph(json(200, { value: [], '@odata.deltaLink': link('$deltaToken=1') }));
    await changes();
    const [{ url = '' } = {}] = fake.graphRequests;
    expect(decodeURIComponent(url)).toBe(
      `/v1.0/users/${USER}/onlineMeetings/getAllRecordings(meetingOrganizerUserId='${USER}',` +
        'startDateTime=2036-01-01T00:00:00.000Z,endDateTime=2037-01-01T00:00:00.000Z)/delta',
    );
  });

  it('send links exactly as they came', async () => {
    fake.answerGraph(
      json(200, { value: [], '@odata.nextLink': link('$skipToken=a%2Bb%20c') }),
      json(200, { value: [], '@odata.deltaLink': link('$deltaToken=1') }),
    );
    const { deltaLink } = await changes();
    expect(`${fake.url}${fake.graphRequests[1]?.url}`).toBe(link('$skipToken=a%2Bb%20c'));
    expect(deltaLink).toBe(link('$deltaToken=1'));
  });

  it('leave out what cannot be read, and say so in the log', async () => {
    fake.answerGraph(
      json(200, {
        value: [artifact('a'), { id: 'without-time' }, null, { ...artifact('b'), createdDateTime: 'soon' }],
        '@odata.deltaLink': link('$deltaToken=1'),
      }),
    );
    const { client, log } = serviceFor(fake);
    const { artifacts } = await client.artifacts.changes('recordings', USER, WINDOW);
    expect(artifacts.map(({ id }) => id)).toEqual(['a']);
    expect(log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: { operation: 'artifacts.changes.recordings', unreadable: 3 },
      }),
    );
  });

  it.each<[string, Answerer]>([
    ['410', graphError(410, 'SyncStateNotFound')],
    ['400', graphError(400, 'BadRequest', 'The delta token is invalid.')],
    ['404', graphError(404, 'NotFound')],
  ])('begin afresh after a %s of a stored link', async (_status, refusal) => {
    fake.answerGraph(refusal, json(200, { value: [artifact('a')], '@odata.deltaLink': link('$deltaToken=2') }));
    expect(await changes(link('$deltaToken=1'))).toMatchObject({
      isFullRead: true,
      artifacts: [{ id: 'a' }],
      deltaLink: link('$deltaToken=2'),
    });
  });

  it.each<[string, Answerer, string]>([
    ['403', graphError(403, 'Forbidden', 'No application access policy found for this app'), 'TEAMS_POLICY_MISSING'],
    ['404 of the user', graphError(404, 'Request_ResourceNotFound'), 'USER_NOT_FOUND'],
    ['503', graphError(503, 'ServiceUnavailable'), 'UNAVAILABLE'],
  ])('do not begin afresh after a %s', async (_status, refusal, kind) => {
    fake.answerGraph(refusal);
    await expect(changes(link('$deltaToken=1'))).rejects.toMatchObject({ kind });
    expect(new Set(fake.graphRequests.map(({ url }) => url)).size).toBe(1);
  });

  it('fail for a page without any link, or with one that leads elsewhere', async () => {
    for (const more of [{}, { '@odata.nextLink': 'https://evil.example/v1.0/x' }]) {
      fake.answerGraph(json(200, { value: [], ...more }));
      await expect(changes()).rejects.toMatchObject({ kind: 'UNKNOWN' });
    }
  });

  it('fail when paging turns in a circle, rather than to follow it', async () => {
    const page = (skip: number) => json(200, { value: [], '@odata.nextLink': link(`$skipToken=${skip}`) });
    fake.answerGraph(page(1), page(2), page(1));
    await expect(changes()).rejects.toMatchObject({ kind: 'UNKNOWN' });
    expect(fake.graphRequests).toHaveLength(3);
  });

  it('do not let a user’s name out of the parameter', async () => {
    fake.answerGraph(json(200, { value: [], '@odata.deltaLink': link('$deltaToken=1') }));
    await serviceFor(fake).client.artifacts.changes('recordings', "x',y='/z?a#b", WINDOW);
    const [{ url = '' } = {}] = fake.graphRequests;
    expect(url).toContain('(meetingOrganizerUserId=%27x%27%27%2Cy%3D%27%27%2Fz%3Fa%23b%27,startDateTime=');
  });
});

describe('attendance', () => {
  const REPORT = {
    id: 'r1',
    meetingStartDateTime: '2036-12-01T09:00:00Z',
    meetingEndDateTime: '2036-12-01T10:00:00Z',
  };

  /** A batch of one list. */
  function records(...value: unknown[]): Answerer {
    return json(200, { responses: [{ id: '0', status: 200, body: { value } }] });
  }

  const reportsOf = async (meetingId: string) =>
    (await serviceFor(fake).client.attendance.listOfMeetings(USER, [meetingId])).get(meetingId)?.reports;

  it('survives records of which little is known', async () => {
    const guest = { identity: { displayName: 'Guest' }, attendanceIntervals: [{ durationInSeconds: 1 }] };
    const named = { id: 'a', emailAddress: '', identity: null, role: null, totalAttendanceInSeconds: null };
    fake.answerGraph(records(REPORT), records(named, guest, guest, { identity: { displayName: 'Two' } }));
    const unknown = { emailAddress: null, role: null, totalSeconds: 0 };
    expect(await reportsOf('m')).toEqual([
      {
        id: 'r1',
        startedAt: new Date('2036-12-01T09:00:00Z'),
        endedAt: new Date('2036-12-01T10:00:00Z'),
        participantCount: 3,
        records: ['', 'Guest', 'Two'].map((name) => ({ ...unknown, name: name || null })),
      },
    ]);
  });

  it('believes the count of the report', async () => {
    fake.answerGraph(records({ ...REPORT, totalParticipantCount: 7 }), records());
    expect(await reportsOf('m')).toMatchObject([{ participantCount: 7 }]);
  });
});
