import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeMicrosoft, graphError, json, reset, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const WINDOW = { from: new Date('2026-12-01T00:00:00Z'), until: new Date('2027-01-01T00:00:00Z') };
const FRESH = { ...WINDOW, deltaLink: null };

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

function item(id: string, change: Record<string, unknown> = {}) {
  return {
    '@odata.etag': `W/"${id}"`,
    id,
    subject: 'Review',
    start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
    end: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' },
    isCancelled: false,
    isOnlineMeeting: true,
    onlineMeeting: { joinUrl: 'https://teams.example/join' },
    attendees: [],
    body: { contentType: 'html', content: '<p>x</p>' },
    ...change,
  };
}

function deleted(id: string) {
  return { id, '@removed': { reason: 'deleted' } };
}

function link(token: string): string {
  return `${fake.url}/v1.0/users/u1/calendarView/delta?$deltatoken=${token}`;
}

function lastPage(...value: unknown[]) {
  return json(200, { value, '@odata.deltaLink': link('next') });
}

describe('changes', () => {
  it('begins with the window and reads everything, over empty pages too', async () => {
    fake.answerGraph(
      json(200, { value: [item('a')], '@odata.nextLink': link('page-2') }),
      json(200, { value: [], '@odata.nextLink': link('page-3') }),
      lastPage(item('b')),
    );
    const changes = await serviceFor(fake).client.events.changes('u1', FRESH);
    expect(changes).toMatchObject({
      changed: [
        { id: 'a', etag: 'W/"a"', joinUrl: 'https://teams.example/join', bodyHtml: '' },
        { id: 'b', bodyHtml: '' },
      ],
      removedIds: [],
      deltaLink: link('next'),
      isFullRead: true,
    });
    expect(fake.graphRequests.map(({ url }) => url)).toEqual([
      '/v1.0/users/u1/calendarView/delta?startDateTime=2026-12-01T00%3A00%3A00.000Z&endDateTime=2027-01-01T00%3A00%3A00.000Z',
      '/v1.0/users/u1/calendarView/delta?$deltatoken=page-2',
      '/v1.0/users/u1/calendarView/delta?$deltatoken=page-3',
    ]);
    for (const { headers } of fake.graphRequests) {
      expect(headers.prefer).toBe('outlook.timezone="UTC", odata.maxpagesize=50, IdType="ImmutableId"');
    }
  });

  it('goes on from the link, and takes the last word on an event that comes more than once', async () => {
    fake.answerGraph(
      json(200, { value: [item('a', { subject: 'Old' }), deleted('b')], '@odata.nextLink': link('page-2') }),
      lastPage(item('b'), deleted('c'), item('a', { subject: 'New' }), item('d'), deleted('d')),
    );
    const changes = await serviceFor(fake).client.events.changes('u1', { ...WINDOW, deltaLink: link('stored') });
    expect(changes.changed.map(({ id, subject }) => [id, subject])).toEqual([
      ['b', 'Review'],
      ['a', 'New'],
    ]);
    expect(changes).toMatchObject({ removedIds: ['c', 'd'], isFullRead: false });
    expect(fake.graphRequests[0]?.url).toBe('/v1.0/users/u1/calendarView/delta?$deltatoken=stored');
  });

  it.each([
    ['forgotten', graphError(410, 'SyncStateNotFound')],
    ['forgotten without a word', json(410)],
    ['malformed', graphError(400, 'ErrorInvalidParameter')],
    ['unknown', graphError(404, 'ErrorItemNotFound')],
  ])('begins afresh when the link is %s', async (_name, refusal) => {
    fake.answerGraph(refusal, lastPage(item('a')));
    const changes = await serviceFor(fake).client.events.changes('u1', { ...WINDOW, deltaLink: link('stored') });
    expect(changes).toMatchObject({ changed: [{ id: 'a' }], isFullRead: true });
    expect(fake.graphRequests[1]?.url).toContain('startDateTime=2026-12-01');
  });

  it('begins afresh when the link is forgotten between two pages, without what came before', async () => {
    fake.answerGraph(
      json(200, { value: [deleted('gone')], '@odata.nextLink': link('page-2') }),
      graphError(410, 'SyncStateNotFound'),
      lastPage(item('a')),
    );
    const changes = await serviceFor(fake).client.events.changes('u1', { ...WINDOW, deltaLink: link('stored') });
    expect(changes).toMatchObject({ changed: [{ id: 'a' }], removedIds: [], isFullRead: true });
  });

  it('begins afresh only once', async () => {
    fake.answerGraph(graphError(410, 'SyncStateNotFound'));
    const round = serviceFor(fake).client.events.changes('u1', { ...WINDOW, deltaLink: link('stored') });
    await expect(round).rejects.toMatchObject({ status: 410 });
    expect(fake.graphRequests).toHaveLength(2);
  });

  it.each([
    ['the user is gone', graphError(404, 'ErrorInvalidUser'), 'USER_NOT_FOUND'],
    ['the mailbox is gone', graphError(404, 'MailboxNotEnabledForRESTAPI'), 'MAILBOX_UNAVAILABLE'],
    ['the app may not', graphError(403, 'ErrorAccessDenied'), 'ROLE_MISSING'],
    ['Microsoft is in trouble', json(500), 'UNAVAILABLE'],
  ])('fails when %s', async (_name, answer, kind) => {
    fake.answerGraph(answer);
    const round = serviceFor(fake).client.events.changes('u1', { ...WINDOW, deltaLink: link('stored') });
    await expect(round).rejects.toMatchObject({ kind });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('sends the token to Graph only: a stored link of elsewhere is of no use, a nextLink of elsewhere is an error', async () => {
    fake.answerGraph(lastPage(item('a')));
    const elsewhere = 'https://graph.elsewhere.example/v1.0/users/u1/calendarView/delta?$deltatoken=x';
    const { client } = serviceFor(fake);
    expect(await client.events.changes('u1', { ...WINDOW, deltaLink: elsewhere })).toMatchObject({ isFullRead: true });
    expect(await client.events.changes('u1', { ...WINDOW, deltaLink: 'garbage' })).toMatchObject({ isFullRead: true });
    fake.answerGraph(json(200, { value: [], '@odata.nextLink': elsewhere }));
    await expect(client.events.changes('u1', FRESH)).rejects.toMatchObject({ kind: 'UNKNOWN' });
  });

  it('fails when a round does not end', async () => {
    fake.answerGraph(json(200, { value: [] }));
    await expect(serviceFor(fake).client.events.changes('u1', FRESH)).rejects.toMatchObject({ kind: 'UNKNOWN' });
  });
});

describe('items that do not bring the whole event', () => {
  it('are read by their id', async () => {
    fake.answerGraph(
      lastPage({ id: 'part', start: item('part').start }, item('odd', { start: { dateTime: 'soon' } })),
      json(200, item('part', { subject: 'Whole' })),
      json(200, item('odd')),
    );
    const { changed } = await serviceFor(fake).client.events.changes('u1', FRESH);
    expect(changed.map(({ id, subject }) => [id, subject])).toEqual([
      ['part', 'Whole'],
      ['odd', 'Review'],
    ]);
    expect(fake.graphRequests[1]?.url).toContain('/users/u1/events/part?$select=');
  });

  it('are removed when they are gone by then', async () => {
    fake.answerGraph(lastPage({ id: 'part' }), graphError(404, 'ErrorItemNotFound'));
    expect(await serviceFor(fake).client.events.changes('u1', FRESH)).toMatchObject({
      changed: [],
      removedIds: ['part'],
    });
  });

  it('are left out when nothing makes them readable, and when they are occurrences or no items at all', async () => {
    fake.answerGraph(
      lastPage({ id: 'odd' }, { id: 'third', type: 'occurrence' }, { subject: 'no id' }, null, item('a')),
      json(200, { id: 'odd' }),
    );
    const { changed, removedIds } = await serviceFor(fake).client.events.changes('u1', FRESH);
    expect([changed.map(({ id }) => id), removedIds]).toEqual([['a'], []]);
    expect(fake.graphRequests).toHaveLength(2);
  });

  it('fail the round when they cannot be read now', async () => {
    fake.answerGraph(lastPage({ id: 'part' }), reset);
    const round = serviceFor(fake, { maxTries: 1 }).client.events.changes('u1', FRESH);
    await expect(round).rejects.toMatchObject({ kind: 'NETWORK' });
  });
});
