import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeMicrosoft, graphError, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const EVENT = {
  '@odata.etag': 'W/"2"',
  id: 'AAMk=',
  subject: 'Review',
  start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
  end: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' },
};

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

describe('update of a known version', () => {
  it('names the version and returns the new one', async () => {
    fake.answerGraph(json(200, EVENT));
    const { client } = serviceFor(fake);
    const event = await client.events.update('u1', 'AAMk=', { subject: 'x' }, { ifMatch: 'W/"1"' });
    expect(fake.graphRequests[0]?.headers['if-match']).toBe('W/"1"');
    expect(event.etag).toBe('W/"2"');
    await client.events.update('u1', 'AAMk=', { subject: 'x' });
    expect(fake.graphRequests[1]?.headers).not.toHaveProperty('if-match');
  });

  it.each([
    ['Exchange’s words', graphError(412, 'ErrorIrresolvableConflict')],
    ['no words', json(412)],
  ])('is CHANGED when there is another one (%s)', async (_name, answer) => {
    fake.answerGraph(answer);
    const update = serviceFor(fake).client.events.update('u1', 'AAMk=', { subject: 'x' }, { ifMatch: 'W/"1"' });
    await expect(update).rejects.toMatchObject({ kind: 'CHANGED', mayHaveWorked: false, isTransient: false });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('is CHANGED that may be its own doing when the answer of a first try was lost', async () => {
    fake.answerGraph(json(504), graphError(412, 'ErrorIrresolvableConflict'));
    const update = serviceFor(fake).client.events.update('u1', 'AAMk=', { subject: 'x' }, { ifMatch: 'W/"1"' });
    await expect(update).rejects.toMatchObject({ kind: 'CHANGED', mayHaveWorked: true });
  });
});

describe('cancel', () => {
  it('sends the comment to the attendees', async () => {
    fake.answerGraph(json(202));
    await serviceFor(fake).client.events.cancel('u1', 'AAMk=', 'The engineer is ill.');
    const [request] = fake.graphRequests;
    expect(request).toMatchObject({ method: 'POST', url: '/v1.0/users/u1/events/AAMk%3D/cancel' });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toEqual({ comment: 'The engineer is ill.' });
  });

  it('sends no comment when there is none', async () => {
    fake.answerGraph(json(202));
    await serviceFor(fake).client.events.cancel('u1', 'AAMk=', null);
    expect(JSON.parse(fake.graphRequests[0]?.body ?? '')).toEqual({});
  });

  it('succeeds when the event is gone, and when a first try worked but was not answered', async () => {
    const gone = graphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
    fake.answerGraph(gone, json(504), gone);
    const { client } = serviceFor(fake);
    await expect(client.events.cancel('u1', 'AAMk=', null)).resolves.toBeUndefined();
    await expect(client.events.cancel('u1', 'AAMk=', null)).resolves.toBeUndefined();
    expect(fake.graphRequests).toHaveLength(3);
  });

  it.each([
    ['the event cannot be cancelled', graphError(400, 'ErrorInvalidRequest'), 'INVALID_REQUEST'],
    ['the user is unknown', graphError(404, 'ErrorInvalidUser'), 'USER_NOT_FOUND'],
    ['some gateway knows no such page', json(404), 'NOT_FOUND'],
  ])('fails when %s', async (_name, answer, kind) => {
    fake.answerGraph(answer);
    await expect(serviceFor(fake).client.events.cancel('u1', 'AAMk=', null)).rejects.toMatchObject({ kind });
  });
});
