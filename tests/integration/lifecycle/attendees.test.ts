import { describe, expect, it } from 'vitest';
import { meetingInput, REFRESH, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, branches } from '../domain/support.ts';
import {
  ATTENDEES,
  admin,
  change,
  eventsOf,
  inCalendar,
  LATER,
  made,
  RESCHEDULE,
  seen,
  sent,
  subgraph,
  useChanging,
} from './changing.ts';

useChanging();

const people = (...names: string[]) => names.map((name) => ({ emailAddress: `${name}@acme.example` }));
const addresses = (...names: string[]) => names.map((name) => `${name}@acme.example`);
/** Who was mailed by Exchange about the meeting since it was made, and how. */
async function mails(subject: string) {
  const all = (await subgraph.simulator.sentMail()).filter((mail) => mail.subject === subject);
  return all.map(({ kind, to }) => `${kind} ${to}`).sort();
}

describe('the attendees of a meeting', () => {
  it('are added and removed with the full list, and nobody else is mailed', async () => {
    const subject = 'Adding and removing';
    const meeting = await made({ subject, attendees: people('ann', 'bob') });
    const { meeting: changed, userErrors } = await change(ATTENDEES, meeting.id, { attendees: people('bob', 'cid') });
    expect(userErrors).toEqual([]);
    expect(changed?.attendees.map(({ emailAddress }) => emailAddress)).toEqual(addresses('bob', 'cid'));
    expect((await inCalendar(meeting.id))?.attendees).toEqual(addresses('bob', 'cid'));
    const patches = await subgraph.simulator.requests({ method: 'PATCH' });
    expect(patches.map(({ body }) => Object.keys(body as object))).toEqual([['attendees']]);
    expect(await mails(subject)).toEqual([
      'cancellation ann@acme.example',
      'invitation ann@acme.example',
      'invitation bob@acme.example',
      'invitation cid@acme.example',
    ]);
  });

  it('who stay keep their answer, and it is read back', async () => {
    const meeting = await made({ attendees: people('ann', 'bob') });
    const [event] = await eventsOf(meeting.id);
    await subgraph.simulator.respondToEvent(
      ACME.directoryId,
      ACME.organizer,
      event?.id ?? '',
      'ANN@acme.example',
      'accepted',
    );
    await change(ATTENDEES, meeting.id, { attendees: people('cid', 'ann') });
    expect((await seen(meeting.id)).attendees).toMatchObject([
      { emailAddress: 'cid@acme.example', response: 'NONE', respondedAt: null },
      { emailAddress: 'ann@acme.example', response: 'ACCEPTED', respondedAt: expect.any(String) },
    ]);
  });

  it('have their answers read back when the meeting is refreshed', async () => {
    const meeting = await made({ attendees: people('ann') });
    const [event] = await eventsOf(meeting.id);
    const answer = (response: string) =>
      subgraph.simulator.respondToEvent(
        ACME.directoryId,
        ACME.organizer,
        event?.id ?? '',
        'ann@acme.example',
        response,
      );
    await answer('tentativelyAccepted');
    await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
    expect((await seen(meeting.id)).attendees).toMatchObject([{ response: 'TENTATIVE' }]);
    await answer('declined');
    await succeed(subgraph, admin, REFRESH, { meetingId: meeting.id });
    expect((await seen(meeting.id)).attendees).toMatchObject([
      { response: 'DECLINED', respondedAt: expect.any(String) },
    ]);
  });

  it('whom somebody added in Outlook stay in the calendar', async () => {
    const meeting = await made({ attendees: people('ann', 'bob') });
    const [event] = await eventsOf(meeting.id);
    const token = await fetchToken();
    const list = [...people('ann', 'bob', 'forwarded')].map(({ emailAddress }) => ({
      emailAddress: { address: emailAddress },
    }));
    await fetch(`${subgraph.simulatorUrl}/v1.0/users/${ACME.organizer}/events/${event?.id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ attendees: list }),
    });
    await change(RESCHEDULE, meeting.id, LATER);
    await change(ATTENDEES, meeting.id, { attendees: people('ann') });
    expect((await inCalendar(meeting.id))?.attendees).toEqual(addresses('ann', 'forwarded'));
  });

  it('written in another way are the same people', async () => {
    const meeting = await made({ attendees: people('ann') });
    await change(ATTENDEES, meeting.id, { attendees: [{ emailAddress: ' ANN@acme.example ', name: 'Ann' }] });
    expect((await seen(meeting.id)).attendees).toMatchObject([{ emailAddress: 'ANN@acme.example', name: 'Ann' }]);
    expect(await sent()).toEqual(['GET']);
  });

  it('that are the same send nothing', async () => {
    const meeting = await made({ attendees: people('ann', 'bob') });
    expect((await change(ATTENDEES, meeting.id, { attendees: people('ann', 'bob') })).userErrors).toEqual([]);
    expect(await sent()).toEqual([]);
  });

  it('of a meeting that invites nobody are stored and not sent', async () => {
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false });
    try {
      const meeting = await made({ subject: 'Silent', attendees: people('ann') });
      const { meeting: changed } = await change(ATTENDEES, meeting.id, { attendees: people('bob') });
      expect(changed?.attendees).toMatchObject([{ emailAddress: 'bob@acme.example' }]);
      expect((await inCalendar(meeting.id))?.attendees).toEqual([]);
      expect(await mails('Silent')).toEqual([]);
    } finally {
      await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
    }
  });

  it.each<[string, object[], string, string]>([
    ['a malformed address', [{ emailAddress: 'nobody' }], 'INVALID_INPUT', 'input.attendees.0.emailAddress'],
    [
      'a person who is contact and user',
      [{ emailAddress: 'a@b.example', contactId: 'c', userId: 'u' }],
      'INVALID_INPUT',
      'input.attendees.0.userId',
    ],
    [
      '501 people',
      Array.from({ length: 501 }, (_, i) => ({ emailAddress: `p${i}@b.example` })),
      'INVALID_INPUT',
      'input.attendees',
    ],
  ])('with %s are refused, and the list stays', async (_name, attendees, code, path) => {
    const meeting = await made({ attendees: people('ann') });
    expect(branches((await change(ATTENDEES, meeting.id, { attendees })).userErrors)).toEqual([{ code, path }]);
    expect((await seen(meeting.id)).attendees).toMatchObject([{ emailAddress: 'ann@acme.example' }]);
    expect(await sent()).toEqual([]);
  });

  it('are at most 500, which Exchange takes', async () => {
    const meeting = await made({ attendees: [] });
    const attendees = Array.from({ length: 500 }, (_, i) => ({ emailAddress: `p${i}@b.example` }));
    expect((await change(ATTENDEES, meeting.id, { attendees })).userErrors).toEqual([]);
    expect((await inCalendar(meeting.id))?.attendees).toHaveLength(500);
  });
});

/** A token of the tenant's own app, for somebody else who changes the calendar. */
async function fetchToken(): Promise<string> {
  const response = await fetch(`${subgraph.simulatorUrl}/${ACME.directoryId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: ACME.clientId,
      client_secret: ACME.secret,
      scope: 'https://graph.microsoft.com/.default',
    }),
  });
  return ((await response.json()) as { access_token: string }).access_token;
}

describe('a new meeting', () => {
  it('marks its event, so that it can be found when its id is lost', async () => {
    const meeting = await made(meetingInput({ subject: 'Marked' }));
    expect(await eventsOf(meeting.id)).toMatchObject([
      { extendedProperties: { TenantId: 'tenant-a', MeetingId: meeting.id } },
    ]);
  });
});
