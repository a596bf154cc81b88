import { describe, expect, it } from 'vitest';
import type { Wire } from './support.ts';
import { DIRECTORY, ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();
const EVENTS = `/users/${ORGANIZER}/events`;

describe('times', () => {
  it('are shown in the preferred zone, Windows or IANA, across daylight saving', async () => {
    const { id } = await sim.createEvent({
      start: { dateTime: '2030-07-01T09:00:00', timeZone: 'Europe/Berlin' },
      end: { dateTime: '2030-07-01T10:30:00.123', timeZone: 'W. Europe Standard Time' },
    });
    const shownIn = async (zone: string) =>
      sim.call('GET', `${EVENTS}/${id}?$select=start,end`, { headers: { prefer: `outlook.timezone="${zone}"` } });
    const pacific = await shownIn('Pacific Standard Time');
    expect(pacific.json.start).toEqual({ dateTime: '2030-07-01T00:00:00.0000000', timeZone: 'Pacific Standard Time' });
    expect(pacific.headers.get('preference-applied')).toBe('outlook.timezone="Pacific Standard Time"');
    expect((await shownIn('Asia/Kolkata')).json.start.dateTime).toBe('2030-07-01T12:30:00.0000000');
    expect((await shownIn('UTC')).json).toMatchObject({
      start: { dateTime: '2030-07-01T07:00:00.0000000' },
      end: { dateTime: '2030-07-01T08:30:00.1230000' },
    });
  });

  it('keep the zones that were sent', async () => {
    const event = await sim.createEvent({
      start: { dateTime: '2030-01-15T09:00:00', timeZone: 'Eastern Standard Time' },
    });
    expect(event).toMatchObject({
      originalStartTimeZone: 'Eastern Standard Time',
      start: { dateTime: '2030-01-15T14:00:00.0000000', timeZone: 'UTC' },
    });
  });

  it('are refused in a preferred zone that is not known', async () => {
    const { id } = await sim.createEvent();
    const answer = await sim.call('GET', `${EVENTS}/${id}`, { headers: { prefer: 'outlook.timezone="Nowhere"' } });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'TimeZoneNotSupportedException']);
  });
});

describe('read', () => {
  it('selects properties, and always the id', async () => {
    const { id } = await sim.createEvent();
    const { json } = await sim.call('GET', `${EVENTS}/${id}?$select=subject`);
    expect(
      Object.keys(json)
        .filter((name) => !name.startsWith('@'))
        .sort(),
    ).toEqual(['id', 'subject']);
  });

  it('gives the body as text on request', async () => {
    const { id } = await sim.createEvent();
    const headers = { prefer: 'outlook.body-content-type="text", outlook.timezone="UTC"' };
    const { json } = await sim.call('GET', `${EVENTS}/${id}`, { headers });
    expect(json.body.contentType).toBe('text');
    expect(json.body.content).toMatch(/^Agenda[^<]*Join the meeting now/);
  });

  it('lists by a filter on times, in order, and refuses other filters', async () => {
    for (const day of ['03', '01', '02']) {
      const start = { dateTime: `2030-08-${day}T09:00:00`, timeZone: 'UTC' };
      await sim.createEvent({ subject: day, start, end: { ...start, dateTime: `2030-08-${day}T10:00:00` } });
    }
    const filter = encodeURIComponent(
      "start/dateTime ge '2030-08-02T00:00:00' and end/dateTime lt '2030-08-05T00:00:00Z'",
    );
    const { json } = await sim.call('GET', `${EVENTS}?$filter=${filter}&$orderby=start/dateTime&$select=subject`);
    expect(json.value.map((event) => event.subject)).toEqual(['02', '03']);
  });

  it.each(["contains(subject,'0')", "subject eq 'x'", "start/dateTime ge 'soon'"])(
    'refuses the filter %s',
    async (filter) => {
      const refused = await sim.call('GET', `${EVENTS}?$filter=${encodeURIComponent(filter)}`);
      expect([refused.status, refused.json.error.code]).toEqual([400, 'ErrorInvalidUrlQueryFilter']);
    },
  );
});

describe('update', () => {
  async function patch(event: Wire, body: unknown, headers: Record<string, string> = {}) {
    return sim.call('PATCH', `${EVENTS}/${event.id}`, { body, headers });
  }

  it('changes only what is sent and keeps the Teams meeting', async () => {
    const event = await sim.createEvent();
    const { status, json } = await patch(event, { subject: 'Moved', isOnlineMeeting: false });
    expect(status).toBe(200);
    expect(json).toMatchObject({ subject: 'Moved', start: event.start, isOnlineMeeting: true, body: event.body });
    expect(json.onlineMeeting).toEqual(event.onlineMeeting);
    expect(json['@odata.etag']).not.toBe(event['@odata.etag']);
  });

  it('carries times and subject to the onlineMeeting', async () => {
    const { event, path } = await sim.createMeeting();
    await patch(event, {
      subject: 'Later',
      start: { dateTime: '2030-09-01T09:00:00', timeZone: 'UTC' },
      end: { dateTime: '2030-09-01T10:00:00', timeZone: 'UTC' },
    });
    expect((await sim.call('GET', path)).json).toMatchObject({
      subject: 'Later',
      startDateTime: '2030-09-01T09:00:00.0000000Z',
      expiryDateTime: '2030-10-31T10:00:00.0000000Z',
    });
  });

  it('disconnects the meeting when the body comes without the join block', async () => {
    const event = await sim.createEvent();
    const content = event.body.content.replace('Agenda', 'New agenda');
    const kept = await patch(event, { body: { contentType: 'html', content } });
    expect(kept.json.onlineMeeting).toEqual(event.onlineMeeting);
    expect(kept.json.body.content).toBe(content);
    const lost = await patch(event, { body: { contentType: 'html', content: '<p>New agenda</p>' } });
    expect(lost.json).toMatchObject({ isOnlineMeeting: true, onlineMeeting: null });
  });

  it('replaces attendees, keeps answers already given, and mails only the changed ones', async () => {
    const event = await sim.createEvent({ attendees: ['kept', 'gone'].map(person) });
    await sim.control.respondToEvent(DIRECTORY, ORGANIZER, event.id, 'kept@x.example', 'accepted');
    const { json } = await patch(event, { attendees: ['kept', 'new'].map(person) });
    expect(json.attendees.map((one) => [one.emailAddress.address, one.status.response])).toEqual([
      ['kept@x.example', 'accepted'],
      ['new@x.example', 'none'],
    ]);
    expect((await sim.control.sentMail()).map((mail) => `${mail.kind} ${mail.to}`)).toEqual([
      'invitation kept@x.example',
      'invitation gone@x.example',
      'invitation new@x.example',
      'cancellation gone@x.example',
    ]);
  });

  it('refuses a stale If-Match', async () => {
    const event = await sim.createEvent();
    expect((await patch(event, { subject: 'One' }, { 'if-match': event['@odata.etag'] })).status).toBe(200);
    const stale = await patch(event, { subject: 'Two' }, { 'if-match': event['@odata.etag'] });
    expect([stale.status, stale.json.error.code]).toEqual([412, 'ErrorIrresolvableConflict']);
    expect((await patch(event, { subject: 'Two' }, { 'if-match': '*' })).status).toBe(200);
  });

  it('refuses an end that would come before the kept start', async () => {
    const event = await sim.createEvent();
    const answer = await patch(event, { end: { dateTime: '2030-07-01T08:00:00', timeZone: 'UTC' } });
    expect(answer.json.error.code).toBe('ErrorCalendarEndDateIsEarlierThanStartDate');
  });

  it('gives an event without meeting one', async () => {
    const event = await sim.createEvent({ isOnlineMeeting: false });
    expect(event.onlineMeeting).toBeNull();
    const { json } = await patch(event, { isOnlineMeeting: true, onlineMeetingProvider: 'teamsForBusiness' });
    expect(json.onlineMeeting?.joinUrl).toContain('teams.microsoft.com');
  });
});

describe('delete and cancel', () => {
  it('deletes once', async () => {
    const { id } = await sim.createEvent();
    const answer = await sim.call('DELETE', `${EVENTS}/${id}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
    const again = await sim.call('DELETE', `${EVENTS}/${id}`);
    expect([again.status, again.json.error.code]).toEqual([404, 'ErrorItemNotFound']);
    expect((await sim.control.sentMail()).at(-1)).toMatchObject({
      kind: 'cancellation',
      to: 'client@customer.example',
    });
  });

  it('cancels with 202, then the event is gone', async () => {
    const { id } = await sim.createEvent();
    const answer = await sim.call('POST', `${EVENTS}/${id}/cancel`, { body: { comment: 'Sorry' } });
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect((await sim.call('POST', `${EVENTS}/${id}/cancel`)).status).toBe(404);
    expect((await sim.call('GET', `${EVENTS}/${id}`)).status).toBe(404);
  });

  it('does not cancel an event without attendees', async () => {
    const { id } = await sim.createEvent({ attendees: [] });
    expect((await sim.call('POST', `${EVENTS}/${id}/cancel`)).status).toBe(400);
    expect((await sim.call('GET', `${EVENTS}/${id}`)).status).toBe(200);
  });

  it('feels the organizer deleting in Outlook', async () => {
    const { id } = await sim.createEvent();
    await sim.control.deleteEvent(DIRECTORY, ORGANIZER, id);
    expect((await sim.call('PATCH', `${EVENTS}/${id}`, { body: { subject: 'x' } })).json.error.code).toBe(
      'ErrorItemNotFound',
    );
  });
});

function person(name: string) {
  return { emailAddress: { address: `${name}@x.example` } };
}
