import { describe, expect, it } from 'vitest';
import { DIRECTORY, draft, ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();
const EVENTS = `/users/${ORGANIZER}/events`;

function etagNow(id: string): Promise<string> {
  return sim.call('GET', `${EVENTS}/${id}`).then(({ json }) => json['@odata.etag']);
}

describe('a person in Outlook', () => {
  it('changes an event: a new version, mail to the attendees, the meeting moves along', async () => {
    const { event, path } = await sim.createMeeting();
    await sim.control.changeEvent({
      directoryId: DIRECTORY,
      user: ORGANIZER,
      eventId: event.id,
      subject: 'By hand',
      startsAt: '2030-07-02T09:00:00Z',
      endsAt: '2030-07-02T11:00:00Z',
    });
    const { json } = await sim.call('GET', `${EVENTS}/${event.id}`);
    expect(json).toMatchObject({
      subject: 'By hand',
      start: { dateTime: '2030-07-02T09:00:00.0000000' },
      onlineMeeting: event.onlineMeeting,
      attendees: event.attendees,
    });
    expect(json['@odata.etag']).not.toBe(event['@odata.etag']);
    expect((await sim.call('GET', path)).json.startDateTime).toBe('2030-07-02T09:00:00.0000000Z');
    expect((await sim.control.sentMail()).map(({ kind }) => kind)).toEqual(['invitation', 'update']);
  });

  it('changes one thing and leaves the rest, and cannot end before the beginning', async () => {
    const { id, start } = await sim.createEvent();
    const change = { directoryId: DIRECTORY, user: ORGANIZER, eventId: id };
    await sim.control.changeEvent({ ...change, subject: 'Only this' });
    expect((await sim.call('GET', `${EVENTS}/${id}`)).json).toMatchObject({ subject: 'Only this', start });
    await expect(sim.control.changeEvent({ ...change, endsAt: '2030-07-01T08:00:00Z' })).rejects.toThrow('end time');
    await expect(sim.control.changeEvent({ ...change, endsAt: 'tomorrow' })).rejects.toThrow('tomorrow is no time');
    await expect(sim.control.changeEvent({ ...change, eventId: 'none' })).rejects.toThrow('no event none');
  });

  it('answers, moves to another folder: each makes another version', async () => {
    const event = await sim.createEvent();
    await sim.control.respondToEvent(DIRECTORY, ORGANIZER, event.id, 'client@customer.example', 'accepted');
    const answered = await etagNow(event.id);
    const moved = await etagNow(await sim.control.moveEvent(DIRECTORY, ORGANIZER, event.id));
    expect(new Set([event['@odata.etag'], answered, moved]).size).toBe(3);
  });

  it('does not see that Teams attaches the meeting later, but it is another version', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { joinUrlDelayGets: 1 });
    const event = await sim.createEvent();
    expect(await etagNow(event.id)).toBe(event['@odata.etag']);
    expect(await etagNow(event.id)).not.toBe(event['@odata.etag']);
  });
});

describe('If-Match', () => {
  it.each(['PATCH', 'DELETE'])('with a passed version refuses a %s, or does not when it is ignored', async (method) => {
    const event = await sim.createEvent();
    const init = {
      headers: { 'if-match': event['@odata.etag'] },
      ...(method === 'PATCH' ? { body: { subject: 'Mine' } } : {}),
    };
    await sim.control.respondToEvent(DIRECTORY, ORGANIZER, event.id, 'client@customer.example', 'accepted');
    const refused = await sim.call(method, `${EVENTS}/${event.id}`, init);
    expect([refused.status, refused.json.error.code]).toEqual([412, 'ErrorIrresolvableConflict']);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toMatchObject([{ subject: 'Quarterly review' }]);
    await sim.control.setIfMatch('ignored');
    expect((await sim.call(method, `${EVENTS}/${event.id}`, init)).status).toBe(method === 'PATCH' ? 200 : 204);
  });
});

describe('the transactionId of an event that is gone', () => {
  const body = draft({ transactionId: 't-1' });

  it('is free again', async () => {
    const first = await sim.call('POST', EVENTS, { body });
    await sim.control.deleteEvent(DIRECTORY, ORGANIZER, first.json.id);
    const second = await sim.call('POST', EVENTS, { body });
    expect(second.status).toBe(201);
    expect(second.json.id).not.toBe(first.json.id);
    expect((await sim.call('POST', EVENTS, { body })).json.id).toBe(second.json.id);
  });

  it('is taken for ever when Exchange is to remember it', async () => {
    await sim.control.setTransactionMemory('forever');
    const first = await sim.call('POST', EVENTS, { body });
    expect((await sim.call('POST', EVENTS, { body })).json.id).toBe(first.json.id);
    await sim.call('DELETE', `${EVENTS}/${first.json.id}`);
    const refused = await sim.call('POST', EVENTS, { body });
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatchObject({
      code: 'ErrorDuplicateTransactionId',
      '@event.existingEventId': first.json.id,
    });
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
  });
});

describe('the comment of a cancellation', () => {
  it.each([
    [{ comment: 'Sorry' }, 'Sorry'],
    [{ Comment: 'Sorry' }, 'Sorry'],
    [{ comment: null }, null],
    [{}, null],
    [undefined, null],
  ])('%o reaches the attendees as %o, and the event is gone', async (body, comment) => {
    const { id } = await sim.createEvent();
    expect((await sim.call('POST', `${EVENTS}/${id}/cancel`, { body })).status).toBe(202);
    expect((await sim.control.sentMail()).map((mail) => [mail.kind, mail.comment])).toEqual([
      ['invitation', null],
      ['cancellation', comment],
    ]);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
  });

  it.each([[{ comment: 7 }], [{ reason: 'x' }], [{ comment: 'x', notify: true }]])('%o is refused', async (body) => {
    const { id } = await sim.createEvent();
    const answer = await sim.call('POST', `${EVENTS}/${id}/cancel`, { body });
    expect([answer.status, answer.json.error.code]).toEqual([400, 'RequestBodyRead']);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });
});

it('a user who is deleted between calls is unknown, in Exchange’s words and in the directory’s', async () => {
  const { id } = await sim.createEvent();
  await sim.control.deleteUser(DIRECTORY, ORGANIZER);
  const window = 'startDateTime=2030-07-01T00:00:00Z&endDateTime=2030-08-01T00:00:00Z';
  const answers = await Promise.all([
    sim.call('GET', `${EVENTS}/${id}`),
    sim.call('PATCH', `${EVENTS}/${id}`, { body: { subject: 'x' } }),
    sim.call('POST', EVENTS, { body: draft() }),
    sim.call('POST', `${EVENTS}/${id}/cancel`),
    sim.call('GET', `/users/${ORGANIZER}/calendar`),
    sim.call('GET', `/users/${ORGANIZER}/calendarView/delta?${window}`),
  ]);
  for (const { status, json } of answers) expect([status, json.error.code]).toEqual([404, 'ErrorInvalidUser']);
  const directory = await sim.call('GET', `/users/${ORGANIZER}`);
  expect([directory.status, directory.json.error.code]).toEqual([404, 'Request_ResourceNotFound']);
});
