import { describe, expect, it } from 'vitest';
import { DIRECTORY, draft, ORGANIZER, useSimulator } from './support.ts';

const sim = useSimulator();
const USER = `/users/${ORGANIZER}`;
const EVENTS = `${USER}/events`;

interface Item {
  id: string;
  status: number;
  headers: Record<string, string>;
  body: { id?: string; value?: { id: string }[]; error?: { code: string; innerError: Record<string, unknown> } };
}

type ItemRequest = Record<string, unknown>;

const get = (id: string, url = USER): ItemRequest => ({ id, method: 'GET', url });
const post = (id: string, more: ItemRequest = {}): ItemRequest => ({
  id,
  method: 'POST',
  url: EVENTS,
  headers: { 'Content-Type': 'application/json' },
  body: draft({ subject: id }),
  ...more,
});

function send(requests: unknown, init: { token?: string | null } = {}) {
  return sim.call('POST', '/$batch', { ...init, body: { requests } });
}

/** The answers by id; the batch must have been accepted. */
async function answers(...requests: ItemRequest[]): Promise<Record<string, Item>> {
  const answer = await send(requests);
  expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('responses')]);
  const { responses }: { responses: Item[] } = JSON.parse(answer.text);
  expect(responses).toHaveLength(requests.length);
  return Object.fromEntries(responses.map((response) => [response.id, response]));
}

function many(count: number): ItemRequest[] {
  return Array.from({ length: count }, (_, index) => get(String(index)));
}

describe('a batch', () => {
  it('answers each item by its own handler, with its own status, headers and body', async () => {
    const { path, event } = await sim.createMeeting();
    const items = await answers(
      get('event', `${EVENTS}/${event.id}`),
      get('lists', `${path}/recordings`),
      get('without-slash', USER.slice(1)),
      get('nobody', '/users/nobody@acme.example'),
      get('nowhere', '/users/x/nowhere'),
      post('made'),
    );
    expect(Object.fromEntries(Object.entries(items).map(([id, { status }]) => [id, status]))).toEqual({
      event: 200,
      lists: 200,
      'without-slash': 200,
      nobody: 404,
      nowhere: 400,
      made: 201,
    });
    expect(items.event?.body.id).toBe(event.id);
    expect(items.lists?.body.value).toEqual([]);
    expect(items.nobody?.body.error?.code).toBe('Request_ResourceNotFound');
    expect(items.made?.headers['Content-Type']).toContain('application/json');
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(2);
  });

  it('gives each failed item a request id of its own', async () => {
    const items = await answers(get('a', '/users/nobody'), get('b', '/users/nobody'));
    const ids = [items.a, items.b].map((item) => item?.body.error?.innerError['request-id']);
    expect(new Set(ids).size).toBe(2);
  });

  it('answers in an order that the seed decides and the caller does not', async () => {
    const order = async () => {
      const { responses }: { responses: Item[] } = JSON.parse((await send(many(20))).text);
      return responses.map(({ id }) => id);
    };
    await sim.control.seedFaults({ seed: 7 });
    const first = await order();
    await sim.control.seedFaults({ seed: 7 });
    expect(await order()).toEqual(first);
    expect(await order()).not.toEqual(first);
    expect([...first].sort()).toEqual(
      many(20)
        .map(({ id }) => id)
        .sort(),
    );
    expect(first).not.toEqual(many(20).map(({ id }) => id));
  });

  it('is one request in the log', async () => {
    await sim.control.clearRequests();
    await answers(...many(20));
    expect(await sim.control.requests({ host: 'graph' })).toMatchObject([{ method: 'POST', path: '/v1.0/$batch' }]);
  });

  it('puts content that is no JSON in base64', async () => {
    const { path, meetingId } = await sim.createMeeting();
    const { transcripts } = await sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId });
    const url = `${path}/transcripts/${encodeURIComponent(transcripts[0]?.id ?? '')}/content`;
    const { vtt } = await answers(get('vtt', url));
    expect(Buffer.from(String(vtt?.body), 'base64').toString()).toMatch(/^WEBVTT/);
  });

  it('lets an item see its own headers only', async () => {
    const { event } = await sim.createMeeting();
    const plain = get('plain', `${EVENTS}/${event.id}`);
    const items = await answers(plain, { ...plain, id: 'immutable', headers: { Prefer: 'IdType="ImmutableId"' } });
    expect(items.plain?.body.id).toBe(event.id);
    expect(items.immutable?.body.id).not.toBe(event.id);
  });
});

describe('a batch is refused as a whole', () => {
  it('with more than 20 items', async () => {
    const { status, json } = await send(many(21));
    expect([status, json.error.code]).toEqual([400, 'MaximumValueExceeded']);
    expect(json.error.message).toBe('Number of batch request steps exceeds the maximum value of 20.');
  });

  it.each([
    ['an id twice', [get('a'), get('a')]],
    ['ids that differ in case only', [get('a'), get('A')]],
    ['no id', [{ method: 'GET', url: USER }]],
    ['an empty id', [get('')]],
    ['no method', [{ id: 'a', url: USER }]],
    ['an unknown method', [{ ...get('a'), method: 'LIST' }]],
    ['no url', [{ id: 'a', method: 'GET' }]],
    ['an absolute url', [get('a', `https://graph.microsoft.com/v1.0${USER}`)]],
    ['a url of another host', [get('a', '//graph.microsoft.com/v1.0/users')]],
    ['a body without Content-Type', [post('a', { headers: {} })]],
    ['a dependency that is not there', [{ ...get('a'), dependsOn: ['b'] }]],
    ['two dependencies', [get('a'), get('b'), { ...get('c'), dependsOn: ['a', 'b'] }]],
    ['a circle of dependencies', ['ab', 'ba'].map(([id = '', needed]) => ({ ...get(id), dependsOn: [needed] }))],
    ['an item that depends on itself', [{ ...get('a'), dependsOn: ['a'] }]],
    ['items that are none', ['a', null]],
    ['no items', []],
    ['no list', 'a'],
  ])('with %s', async (_what, requests) => {
    expect((await send(requests)).status).toBe(400);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toEqual([]);
  });

  it('without a token, and as anything but a POST', async () => {
    expect((await send(many(1), { token: null })).json.error.code).toBe('InvalidAuthenticationToken');
    expect((await sim.call('GET', '/$batch')).status).toBe(405);
  });

  it('when it is no JSON', async () => {
    expect((await sim.call('POST', '/$batch', { rawBody: '{' })).status).toBe(400);
  });

  it('but only the item that is a batch itself', async () => {
    const { inner, outer } = await answers(
      get('outer'),
      post('inner', { url: '/$batch', body: { requests: many(1) } }),
    );
    expect([inner?.status, outer?.status]).toEqual([400, 200]);
  });
});

describe('items that depend on others', () => {
  it('go after them, wherever they stand', async () => {
    await answers({ ...post('third'), dependsOn: ['second'] }, post('first'), {
      ...post('second'),
      dependsOn: ['first'],
    });
    const subjects = (await sim.control.listEvents(DIRECTORY, ORGANIZER)).map(({ subject }) => subject);
    expect(subjects).toEqual(['first', 'second', 'third']);
  });

  it('are 424 when those failed, and do nothing', async () => {
    const items = await answers(
      get('fails', '/users/nobody'),
      { ...post('needs'), dependsOn: ['fails'] },
      { ...post('needs-that'), dependsOn: ['needs'] },
      post('free'),
    );
    expect([items.needs, items['needs-that'], items.free].map((item) => item?.status)).toEqual([424, 424, 201]);
    expect(items.needs?.body.error?.code).toBe('FailedDependency');
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });
});

describe('faults in a batch', () => {
  it('throttle one item inside the 200, with its own Retry-After', async () => {
    await sim.control.addFault({ match: { path: '/calendar$' }, status: 429, headers: { 'retry-after': '17' } });
    const { calendar, user } = await answers(get('calendar', `${USER}/calendar`), get('user'));
    expect([calendar?.status, calendar?.headers['Retry-After']]).toEqual([429, '17']);
    expect(calendar?.body.error?.code).toBe('TooManyRequests');
    expect(user?.status).toBe(200);
  });

  it('strike an item after its work, or cut it', async () => {
    await sim.control.addFault({ match: { method: 'POST', path: '/events' }, status: 503, after: true });
    await sim.control.addFault({ match: { path: '/calendar$' }, cut: 'before' });
    const { made, calendar } = await answers(post('made'), get('calendar', `${USER}/calendar`));
    expect([made?.status, calendar?.status, calendar?.body]).toEqual([503, 504, undefined]);
    expect(await sim.control.listEvents(DIRECTORY, ORGANIZER)).toHaveLength(1);
  });

  it('can be aimed at the batch', async () => {
    await sim.control.addFault({ match: { path: String.raw`/\$batch$` }, status: 503 });
    expect((await send(many(2))).status).toBe(503);
    expect((await send(many(2))).status).toBe(200);
  });
});

describe('the four places of a mailbox', () => {
  const calendars = (count: number) =>
    Array.from({ length: count }, (_, index) => get(String(index), `${USER}/calendar`));

  it('are enough for a batch alone, which takes no more', async () => {
    await sim.control.addFault({ match: { path: '/calendar$' }, times: 4, delayMs: 20 });
    const items = await answers(...calendars(20));
    expect(new Set(Object.values(items).map(({ status }) => status))).toEqual(new Set([200]));
    expect(await sim.control.concurrency()).toMatchObject([{ userId: ORGANIZER, current: 0, max: 4 }]);
  });

  it('are counted by item: two batches at once are throttled in parts', async () => {
    await sim.control.addFault({ match: { path: '/calendar$' }, times: null, delayMs: 60_000 });
    const both = [answers(...calendars(4)), answers(...calendars(4))];
    await expect.poll(async () => (await sim.control.concurrency())[0]?.max).toBe(5);
    await sim.control.clearFaults();
    const statuses = (await Promise.all(both)).flatMap((items) => Object.values(items).map(({ status }) => status));
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 429, 429, 429, 429]);
  });
});
