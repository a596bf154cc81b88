import { describe, expect, it } from 'vitest';
import type { SimulatorControl } from '../../../simulator/control.ts';
import type { GraphClient } from '../../../src/graph/types.ts';
import { CLIENT, DIRECTORY, draft, ORGANIZER, ROLES, useGraph } from './support.ts';

const COLLEAGUE = 'aaaaaaaa-0000-4000-8000-00000000000c';

let control: SimulatorControl;
let client: GraphClient;

useGraph((parts) => {
  ({ client } = parts);
  ({ control } = parts.simulator);
});

/** The links of new meetings of the organizer. */
async function joinUrls(count: number, organizer = ORGANIZER): Promise<string[]> {
  const events = Array.from({ length: count }, (_, index) =>
    client.events.create(organizer, draft({ transactionId: `${organizer}-${index}`, subject: `Meeting ${index}` })),
  );
  return (await Promise.all(events)).map(({ joinUrl }) => joinUrl ?? '');
}

async function roundTrips(): Promise<number> {
  return (await control.requests({ host: 'graph' })).length;
}

describe('findManyByJoinUrl', () => {
  it.each(['empty', 'notFound'] as const)('finds 45 meetings in 3 round trips; a miss (%s) is null', async (answer) => {
    const links = await joinUrls(43);
    await control.setJoinUrlMiss(answer);
    await control.clearRequests();
    const misses = ['https://teams.microsoft.com/meet/1?p=x', "https://teams.microsoft.com/l/meetup-join/it's%3aone"];
    const found = await client.onlineMeetings.findManyByJoinUrl(ORGANIZER, [...links, ...misses, ...links]);
    expect(await roundTrips()).toBe(3);
    expect([...found.keys()]).toEqual([...links, ...misses]);
    expect(links.map((link) => found.get(link)?.value?.joinWebUrl)).toEqual(links);
    expect(misses.map((link) => found.get(link))).toEqual([{ value: null }, { value: null }]);
  });

  it('finds short links', async () => {
    await control.updateUser(DIRECTORY, ORGANIZER, { joinUrlFormat: 'short' });
    const [link = ''] = await joinUrls(1);
    expect(link).toContain('/meet/');
    const found = await client.onlineMeetings.findManyByJoinUrl(ORGANIZER, [link]);
    expect(found.get(link)?.value).toMatchObject({ subject: 'Meeting 0', joinWebUrl: link });
  });

  it('keeps the refusal of one link to itself', async () => {
    await control.putUser({ directoryId: DIRECTORY, id: COLLEAGUE, userPrincipalName: 'colleague@acme.example' });
    const [own = ''] = await joinUrls(1);
    const [foreign = ''] = await joinUrls(1, COLLEAGUE);
    const found = await client.onlineMeetings.findManyByJoinUrl(ORGANIZER, [foreign, own]);
    expect(found.get(foreign)?.error?.kind).toBe('TEAMS_POLICY_MISSING');
    expect(found.get(own)?.value?.subject).toBe('Meeting 0');
  });
});

describe('getMany', () => {
  it('reads meetings by id, each for itself', async () => {
    const [link = ''] = await joinUrls(1);
    const meeting = await client.onlineMeetings.findByJoinUrl(ORGANIZER, link);
    const id = meeting?.id ?? '';
    const unknown = Buffer.from(`1*${ORGANIZER}*0**19:meeting_none@thread.v2`).toString('base64');
    await control.clearRequests();
    const found = await client.onlineMeetings.getMany(ORGANIZER, [id, unknown, 'garbage', '.']);
    expect(await roundTrips()).toBe(1);
    expect(found.get(id)).toEqual({ value: meeting });
    expect([unknown, 'garbage', '.'].map((one) => found.get(one)?.error?.kind)).toEqual([
      'NOT_FOUND',
      'INVALID_REQUEST',
      'INVALID_REQUEST',
    ]);
  });
});

describe('attendance', () => {
  const participants = [
    { name: 'Ann', emailAddress: 'ann@client.example', role: 'Presenter', seconds: 1_800 },
    { name: 'Guest' },
  ];

  async function held(input: object = {}): Promise<string> {
    const [joinUrl = ''] = await joinUrls(1);
    const { meetingId } = await control.meetingTookPlace({ directoryId: DIRECTORY, joinUrl, participants, ...input });
    await control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, startedAt: '2036-12-08T09:00:00Z', ...input });
    return meetingId;
  }

  /** The reports of one meeting; its failure is thrown. */
  async function reportsOf(meetingId: string) {
    const outcome = (await client.attendance.listOfMeetings(ORGANIZER, [meetingId])).get(meetingId);
    if (outcome?.error) throw outcome.error;
    return outcome?.reports;
  }

  async function allow(): Promise<void> {
    await control.updateApp(DIRECTORY, CLIENT, { roles: [...ROLES, 'OnlineMeetingArtifact.Read.All'] });
  }

  it('is a report a call, with its records, over pages', async () => {
    await allow();
    const meetingId = await held();
    await control.setPaging({ pageSize: 1, emptyPageFirst: true });
    const reports = await reportsOf(meetingId);
    expect(reports).toMatchObject([
      {
        startedAt: new Date('2036-12-01T09:00:00Z'),
        endedAt: new Date('2036-12-01T10:00:00Z'),
        participantCount: 2,
        records: [
          { emailAddress: 'ann@client.example', name: 'Ann', role: 'Presenter', totalSeconds: 1_800 },
          { emailAddress: null, name: 'Guest', role: 'Attendee', totalSeconds: 3_600 },
        ],
      },
      { startedAt: new Date('2036-12-08T09:00:00Z'), records: { length: 2 } },
    ]);
  });

  it('costs two round trips', async () => {
    await allow();
    const meetingId = await held();
    await control.clearRequests();
    await reportsOf(meetingId);
    expect(await roundTrips()).toBe(2);
  });

  it('is empty before a call', async () => {
    await allow();
    const [link = ''] = await joinUrls(1);
    const meeting = await client.onlineMeetings.findByJoinUrl(ORGANIZER, link);
    expect(await reportsOf(meeting?.id ?? '')).toEqual([]);
  });

  it('needs a role of its own', async () => {
    const meetingId = await held();
    await expect(reportsOf(meetingId)).rejects.toMatchObject({ kind: 'ROLE_MISSING' });
  });

  it('fails when the records of one report cannot be read, rather than to leave them out', async () => {
    await allow();
    const meetingId = await held();
    await control.addFault({ match: { path: '/attendanceRecords' }, status: 500 });
    await expect(reportsOf(meetingId)).rejects.toMatchObject({ kind: 'UNAVAILABLE' });
  });
});
