import { describe, expect, it } from 'vitest';
import { DIRECTORY, filterByLink, ORGANIZER, OTHER, useSimulator } from './support.ts';

const sim = useSimulator();
const MEETINGS = `/users/${ORGANIZER}/onlineMeetings`;
const COLLEAGUE = 'aaaaaaaa-0000-4000-8000-00000000000c';

async function addColleague() {
  await sim.control.putUser({
    directoryId: DIRECTORY,
    id: COLLEAGUE,
    userPrincipalName: 'colleague@acme.example',
    teamsPolicyAppIds: ['aaaaaaaa-0000-4000-8000-000000000001'],
  });
}

describe('lookup by link', () => {
  it('finds the meeting of the event by its exact link', async () => {
    const { event, meetingId } = await sim.createMeeting();
    const link = event.onlineMeeting?.joinUrl ?? '';
    const { status, json } = await sim.call('GET', `${MEETINGS}?${filterByLink(link)}`);
    expect(status).toBe(200);
    expect(json.value).toHaveLength(1);
    expect(json.value[0]).toMatchObject({
      id: meetingId,
      joinWebUrl: link,
      subject: 'Quarterly review',
      startDateTime: '2030-07-01T09:00:00.0000000Z',
      participants: { organizer: { identity: { user: { id: ORGANIZER, tenantId: DIRECTORY } } } },
    });
  });

  it('builds the id from organizer and thread', async () => {
    const { meetingId } = await sim.createMeeting();
    expect(meetingId).toMatch(/^MSp/);
    expect(Buffer.from(meetingId, 'base64').toString()).toMatch(
      new RegExp(`^1\\*${ORGANIZER}\\*0\\*\\*19:meeting_[\\w-]+@thread\\.v2$`),
    );
  });

  it('finds by joinMeetingId too, and selects', async () => {
    const { path, meetingId } = await sim.createMeeting();
    const digits = (await sim.call('GET', `${path}?$select=joinMeetingIdSettings`)).json.joinMeetingIdSettings
      .joinMeetingId;
    const filter = encodeURIComponent(`joinMeetingIdSettings/joinMeetingId eq '${digits}'`);
    const { json } = await sim.call('GET', `${MEETINGS}?$filter=${filter}&$select=id,subject`);
    expect(json.value).toEqual([{ id: meetingId, subject: 'Quarterly review' }]);
  });

  it.each([
    ['decoded once too often', (link: string) => decodeURIComponent(link)],
    ['with upper-case escapes', (link: string) => link.replace(/%[0-9a-f]{2}/g, (hex) => hex.toUpperCase())],
    ['encoded twice', (link: string) => encodeURIComponent(link)],
  ])('misses a link %s', async (_case, spoil) => {
    const { event } = await sim.createMeeting();
    const { status, json } = await sim.call(
      'GET',
      `${MEETINGS}?${filterByLink(spoil(event.onlineMeeting?.joinUrl ?? ''))}`,
    );
    expect([status, json.value]).toEqual([200, []]);
  });

  it('answers a miss with 404 where it is told to, and reads doubled quotes as one', async () => {
    const path = `${MEETINGS}?${filterByLink("https://teams.microsoft.com/l/it's-not-there")}`;
    expect((await sim.call('GET', path)).json.value).toEqual([]);
    await sim.control.setJoinUrlMiss('notFound');
    const answer = await sim.call('GET', path);
    expect([answer.status, answer.json.error.code]).toEqual([404, 'NotFound']);
  });

  it.each([
    ['no filter', ''],
    ['another property', `?$filter=${encodeURIComponent("subject eq 'x'")}`],
    ['another operator', `?$filter=${encodeURIComponent("JoinWebUrl ne 'x'")}`],
    ['an unbalanced quote', `?$filter=${encodeURIComponent("JoinWebUrl eq 'it's'")}`],
  ])('refuses %s', async (_case, query) => {
    const answer = await sim.call('GET', `${MEETINGS}${query}`);
    expect([answer.status, answer.json.error.code]).toEqual([400, 'BadRequest']);
  });

  it('refuses the link of another organizer', async () => {
    await addColleague();
    const { event } = await sim.createMeeting();
    const path = `/users/${COLLEAGUE}/onlineMeetings?${filterByLink(event.onlineMeeting?.joinUrl ?? '')}`;
    const answer = await sim.call('GET', path);
    expect([answer.status, answer.json.error.code, answer.json.error.message]).toEqual([
      403,
      'Forbidden',
      '3003: User does not have access to lookup meeting',
    ]);
  });

  it('does not see into another directory', async () => {
    const { event } = await sim.createMeeting();
    const token = await sim.newToken({ client_id: OTHER.clientId, client_secret: OTHER.secret }, OTHER.directory);
    const path = `/users/${OTHER.organizer}/onlineMeetings?${filterByLink(event.onlineMeeting?.joinUrl ?? '')}`;
    expect((await sim.call('GET', path, { token })).json.value).toEqual([]);
  });
});

describe('get by id', () => {
  it('serves the organizer and the invited, no one else', async () => {
    await addColleague();
    const person = { emailAddress: { address: 'colleague@acme.example' } };
    const invited = await sim.createMeeting({ attendees: [person] });
    const uninvited = await sim.createMeeting();
    const asColleague = (path: string) => sim.call('GET', path.replace(ORGANIZER, COLLEAGUE));
    expect((await sim.call('GET', invited.path)).status).toBe(200);
    expect((await asColleague(invited.path)).status).toBe(200);
    const refused = await asColleague(uninvited.path);
    expect([refused.status, refused.json.error.message]).toEqual([404, `Organizer Id mismatch User Id: ${COLLEAGUE}`]);
  });

  it('tells a malformed id from an unknown one', async () => {
    const malformed = await sim.call('GET', `${MEETINGS}/nonsense`);
    expect([malformed.status, malformed.json.error.message]).toEqual([400, 'Invalid meeting id nonsense.']);
    const id = Buffer.from(`1*${ORGANIZER}*0**19:meeting_abc@thread.v2`).toString('base64');
    const unknown = await sim.call('GET', `${MEETINGS}/${encodeURIComponent(id)}`);
    expect([unknown.status, unknown.json.error.code]).toEqual([404, 'NotFound']);
  });

  it('shows the expiry 60 days after the end', async () => {
    const { path } = await sim.createMeeting();
    expect((await sim.call('GET', path)).json.expiryDateTime).toBe('2030-08-30T10:00:00.0000000Z');
  });
});

describe('standalone meetings', () => {
  const times = { startDateTime: '2030-07-01T09:00:00Z', endDateTime: '2030-07-01T10:00:00Z' };

  it('are created without calendar entry and have no artifacts', async () => {
    const created = await sim.call('POST', MEETINGS, { body: { ...times, subject: 'Ad hoc' } });
    expect(created.status).toBe(201);
    expect(created.json.joinWebUrl).toContain('teams.microsoft.com');
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
    for (const collection of ['recordings', 'transcripts']) {
      const path = `${MEETINGS}/${encodeURIComponent(created.json.id)}/${collection}`;
      expect((await sim.call('GET', path)).status).toBe(404);
    }
  });

  it('are deleted once', async () => {
    const { json } = await sim.call('POST', MEETINGS, { body: times });
    const path = `${MEETINGS}/${encodeURIComponent(json.id)}`;
    expect((await sim.call('DELETE', path)).status).toBe(204);
    expect((await sim.call('DELETE', path)).status).toBe(404);
  });

  it('need Teams', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsEnabled: false });
    expect((await sim.call('POST', MEETINGS, { body: times })).status).toBe(403);
  });
});

describe('update', () => {
  it('sets options and times without touching the event', async () => {
    const { event, path } = await sim.createMeeting();
    const body = {
      startDateTime: '2030-07-02T09:00:00-02:00',
      endDateTime: '2030-07-02T10:00:00-02:00',
      recordAutomatically: true,
      lobbyBypassSettings: { scope: 'everyone' },
      allowedPresenters: 'organizer',
      participants: { attendees: [{ upn: 'lead@acme.example', role: 'coorganizer' }] },
    };
    const { status, json } = await sim.call('PATCH', path, { body });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      startDateTime: '2030-07-02T11:00:00.0000000Z',
      recordAutomatically: true,
      lobbyBypassSettings: { scope: 'everyone' },
      participants: { organizer: { identity: { user: { id: ORGANIZER } } }, attendees: [{ role: 'coorganizer' }] },
    });
    const after = await sim.call('GET', `/users/${ORGANIZER}/events/${event.id}`);
    expect(after.json.start).toEqual(event.start);
  });

  it('of a part of the lobby leaves the rest of it alone', async () => {
    const { path } = await sim.createMeeting();
    await sim.call('PATCH', path, { body: { lobbyBypassSettings: { isDialInBypassEnabled: true } } });
    const { json } = await sim.call('PATCH', path, { body: { lobbyBypassSettings: { scope: 'invited' } } });
    expect(json).toMatchObject({ lobbyBypassSettings: { scope: 'invited', isDialInBypassEnabled: true } });
  });

  it('needs the Teams policy', async () => {
    const { path } = await sim.createMeeting();
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    const { status, json } = await sim.call('PATCH', path, { body: { recordAutomatically: true } });
    expect([status, json.error.message]).toEqual([403, 'No application access policy found for this app']);
  });

  it.each([
    ['a start without end', { startDateTime: '2030-07-01T09:00:00Z' }],
    ['an end without start', { endDateTime: '2030-07-01T09:00:00Z' }],
    ['an end before the start', { startDateTime: '2030-07-01T09:00:00Z', endDateTime: '2030-07-01T08:00:00Z' }],
    ['a time without zone', { startDateTime: '2030-07-01T09:00:00', endDateTime: '2030-07-01T10:00:00' }],
    ['an unknown property', { colour: 'blue' }],
    ['a property that is fixed at creation', { joinMeetingIdSettings: { isPasscodeRequired: false } }],
    ['an unknown presenter setting', { allowedPresenters: 'nobody' }],
    ['presenters by role without attendees', { allowedPresenters: 'roleIsPresenter' }],
    ['text for a switch of the lobby', { lobbyBypassSettings: { isDialInBypassEnabled: 'yes' } }],
    ['a lobby of nothing', { lobbyBypassSettings: null }],
    ['an unknown lobby scope', { lobbyBypassSettings: { scope: 'friends' } }],
    ['text for a switch', { recordAutomatically: 'yes' }],
    ['another organizer', { participants: { organizer: {} } }],
  ])('refuses %s', async (_case, body) => {
    const { path } = await sim.createMeeting();
    const answer = await sim.call('PATCH', path, { body });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'BadRequest']);
  });
});
