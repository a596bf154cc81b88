import { describe, expect, it } from 'vitest';
import { DIRECTORY, draft, ORGANIZER, ORGANIZER_UPN, useSimulator } from './support.ts';

const sim = useSimulator();
const EVENTS = `/users/${ORGANIZER}/events`;

function create(overrides: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  return sim.call('POST', EVENTS, { body: draft(overrides), headers });
}

async function joinUrlAt(id: string): Promise<string | null | undefined> {
  return (await sim.call('GET', `${EVENTS}/${id}`)).json.onlineMeeting?.joinUrl;
}

describe('create', () => {
  it('answers 201 with the event, its Teams meeting and Microsoft’s shapes', async () => {
    const { status, json, headers } = await create();
    expect(status).toBe(201);
    expect(headers.get('etag')).toBe(json['@odata.etag']);
    expect(headers.get('location')).toContain('/events(');
    expect(json).toMatchObject({
      id: expect.stringMatching(/^AAMk[A-Za-z0-9_-]+=*$/),
      iCalUId: expect.stringMatching(/^040000008200E00074C5B7101A82E008/),
      '@odata.etag': expect.stringMatching(/^W\/".+"$/),
      createdDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/),
      start: { dateTime: '2030-07-01T09:00:00.0000000', timeZone: 'UTC' },
      end: { dateTime: '2030-07-01T10:00:00.0000000', timeZone: 'UTC' },
      isOnlineMeeting: true,
      onlineMeetingProvider: 'teamsForBusiness',
      onlineMeetingUrl: null,
      onlineMeeting: {
        joinUrl: expect.stringMatching(/^https:\/\/teams\.microsoft\.com\/l\/meetup-join\/19%3ameeting_/),
      },
      attendees: [
        {
          type: 'required',
          status: { response: 'none', time: '0001-01-01T00:00:00Z' },
          emailAddress: { name: 'Client', address: 'client@customer.example' },
        },
      ],
      organizer: { emailAddress: { address: ORGANIZER_UPN } },
    });
    expect(json).not.toHaveProperty('transactionId');
  });

  it('takes the userPrincipalName and the address of the calendar too', async () => {
    const answer = await sim.call('POST', `/users/${ORGANIZER_UPN}/calendar/events`, { body: draft() });
    expect(answer.status).toBe(201);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('wraps the body and appends the join block', async () => {
    const { json } = await create({ body: { contentType: 'text', content: 'a < b' } });
    expect(json.body.contentType).toBe('html');
    expect(json.body.content).toMatch(/^<html>[\s\S]*a &lt; b[\s\S]*Join the meeting now[\s\S]*<\/html>$/);
    expect(json.body.content).toContain(json.onlineMeeting?.joinUrl);
  });

  it('fills a missing attendee name with the address and takes types in any case', async () => {
    const { json } = await create({ attendees: [{ type: 'Optional', emailAddress: { address: 'a@b.example' } }] });
    expect(json.attendees[0]).toMatchObject({
      type: 'optional',
      emailAddress: { name: 'a@b.example', address: 'a@b.example' },
    });
  });

  it('makes no Teams meeting where the calendar does not allow it', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsEnabled: false });
    const { status, json } = await create();
    expect(status).toBe(201);
    expect(json).toMatchObject({ isOnlineMeeting: false, onlineMeetingProvider: 'unknown', onlineMeeting: null });
    expect(json.body.content).not.toContain('Join the meeting');
  });

  it('shows a delayed join link only after n GETs', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { joinUrlDelayGets: 2 });
    const { json } = await create();
    expect(json).toMatchObject({ isOnlineMeeting: true, onlineMeeting: { joinUrl: null } });
    expect(await joinUrlAt(json.id)).toBeNull();
    expect(await joinUrlAt(json.id)).toBeNull();
    expect(await joinUrlAt(json.id)).toContain('teams.microsoft.com');
    expect((await sim.call('GET', `${EVENTS}/${json.id}`)).json.body.content).toContain('Join the meeting now');
  });

  it('gives the short form of the link where the directory has it', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { joinUrlFormat: 'short' });
    expect((await create()).json.onlineMeeting?.joinUrl).toMatch(/^https:\/\/teams\.microsoft\.com\/meet\/\d+\?p=\w+$/);
  });

  it.each([
    [
      'an unknown time zone',
      { start: { dateTime: '2030-07-01T09:00:00', timeZone: 'Mars/Base' } },
      'TimeZoneNotSupportedException',
    ],
    [
      'a bare offset as zone',
      { start: { dateTime: '2030-07-01T09:00:00', timeZone: '+01:00' } },
      'TimeZoneNotSupportedException',
    ],
    ['an unreadable time', { start: { dateTime: 'tomorrow', timeZone: 'UTC' } }, 'ErrorPropertyValidationFailure'],
    ['no start', { start: undefined }, 'ErrorPropertyValidationFailure'],
    [
      'an end before the start',
      { end: { dateTime: '2030-07-01T08:00:00', timeZone: 'UTC' } },
      'ErrorCalendarEndDateIsEarlierThanStartDate',
    ],
    ['an attendee without address', { attendees: [{ emailAddress: { name: 'Nobody' } }] }, 'ErrorInvalidRecipients'],
    [
      'an attendee type that is none',
      { attendees: [{ type: 'boss', emailAddress: { address: 'a@b.example' } }] },
      'RequestBodyRead',
    ],
    ['501 attendees', { attendees: people(501) }, 'ErrorPropertyValidationFailure'],
    ['an unknown property', { colour: 'blue' }, 'RequestBodyRead'],
    ['a property of the wrong kind', { isOnlineMeeting: 'yes' }, 'RequestBodyRead'],
  ])('refuses %s', async (_case, overrides, code) => {
    const answer = await create(overrides);
    expect([answer.status, answer.json.error.code]).toEqual([400, code]);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
  });

  it('takes 500 attendees', async () => {
    expect((await create({ attendees: people(500) })).status).toBe(201);
  });

  it.each([
    ['malformed JSON', '{"subject":', 'application/json'],
    ['another content type', JSON.stringify(draft()), 'text/plain'],
    ['an array', '[]', 'application/json'],
    ['nothing', '', 'application/json'],
  ])('refuses %s', async (_case, rawBody, contentType) => {
    const answer = await sim.call('POST', EVENTS, { rawBody, headers: { 'content-type': contentType } });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'BadRequest']);
    expect(answer.json.error.message).toContain('Unable to read JSON request payload.');
  });
});

describe('transactionId', () => {
  it('answers a repeated create with the first event', async () => {
    const first = await create({ transactionId: 't-1' });
    const { start, ...rest } = draft({ transactionId: 't-1' });
    const second = await sim.call('POST', EVENTS, { body: { start, ...rest } });
    expect([second.status, second.json.id, second.json.transactionId]).toEqual([201, first.json.id, 't-1']);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('refuses other content under the same id and names the first event', async () => {
    const first = await create({ transactionId: 't-1' });
    const second = await create({ transactionId: 't-1', subject: 'Something else' });
    expect(second.status).toBe(400);
    expect(second.json.error).toMatchObject({
      code: 'ErrorDuplicateTransactionId',
      message:
        "Your request can't be completed. The TransactionId specified in the request has already been used to create a different event.",
      '@event.existingEventId': first.json.id,
    });
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('makes one event when a create is repeated after a 504 that did its work', async () => {
    await sim.control.addFault({ match: { method: 'POST', path: '/events$' }, status: 504, after: true });
    expect((await create({ transactionId: 't-2' })).status).toBe(504);
    expect((await create({ transactionId: 't-2' })).status).toBe(201);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('cannot be changed afterwards', async () => {
    const { id } = await sim.createEvent({ transactionId: 't-3' });
    expect((await sim.call('PATCH', `${EVENTS}/${id}`, { body: { transactionId: 't-4' } })).status).toBe(400);
  });
});

describe('ids', () => {
  const immutable = { prefer: 'IdType="ImmutableId"' };

  it('are immutable on request, and both kinds lead to the event', async () => {
    const event = await create({}, immutable);
    expect(event.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    const [summary] = await sim.control.listEvents(DIRECTORY, ORGANIZER);
    expect(event.json.id).toBe(summary?.immutableId);
    expect(event.json.id).not.toBe(summary?.id);
    expect((await sim.call('GET', `${EVENTS}/${summary?.id}`)).json.id).toBe(summary?.id);
    expect((await sim.call('GET', `${EVENTS}/${event.json.id}`)).json.id).toBe(summary?.id);
  });

  it('change with a move unless they are immutable', async () => {
    const { id: immutableId } = (await create({}, immutable)).json;
    const oldId = (await sim.control.listEvents(DIRECTORY, ORGANIZER))[0]?.id ?? '';
    const newId = await sim.control.moveEvent(DIRECTORY, ORGANIZER, oldId);
    expect((await sim.call('GET', `${EVENTS}/${oldId}`)).json.error.code).toBe('ErrorItemNotFound');
    expect((await sim.call('GET', `${EVENTS}/${newId}`)).status).toBe(200);
    expect((await sim.call('GET', `${EVENTS}/${immutableId}`, { headers: immutable })).status).toBe(200);
  });

  it('are malformed, or well-formed and unknown', async () => {
    const { id } = await sim.createEvent();
    expect((await sim.call('GET', `${EVENTS}/not-an-id`)).json.error.code).toBe('ErrorInvalidIdMalformed');
    const unknown = await sim.call('GET', `${EVENTS}/${id.replace(/...=$/, 'BBB=')}`);
    expect([unknown.status, unknown.json.error.code]).toEqual([404, 'ErrorItemNotFound']);
  });
});

function person(name: string) {
  return { emailAddress: { address: `${name}@x.example` } };
}

function people(count: number) {
  return Array.from({ length: count }, (_, index) => person(`p${index}`));
}
