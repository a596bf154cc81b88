import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLIENT_ID, DIRECTORY, ORGANIZER, OTHER, useSimulator } from './support.ts';

const sim = useSimulator();
const RECORDINGS = `users/${ORGANIZER}/onlineMeetings/getAllRecordings`;
const TRANSCRIPTS = `users/${ORGANIZER}/onlineMeetings/getAllTranscripts`;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let address: string;
let answerer: Answerer;
/** Bodies of the POSTs that were no handshake. */
let received: { path: string; value: Record<string, unknown>[] }[];

const shakesHands: Answerer = (request, response) => {
  const token = new URL(request.url ?? '', 'http://x').searchParams.get('validationToken');
  if (token === null) return void response.writeHead(202).end();
  response.writeHead(200, { 'content-type': 'text/plain' }).end(token);
};

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (chunks.length > 0) {
      received.push({ path: request.url ?? '', value: JSON.parse(Buffer.concat(chunks).toString('utf8')).value });
    }
    answerer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  answerer = shakesHands;
  received = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const inMs = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString();

function input(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    changeType: 'created',
    notificationUrl: `${address}/notify`,
    lifecycleNotificationUrl: `${address}/lifecycle`,
    resource: RECORDINGS,
    expirationDateTime: inMs(2 * DAY_MS),
    clientState: 'secret',
    ...over,
  };
}

const create = (over: Record<string, unknown> = {}, token?: string) =>
  sim.call('POST', '/subscriptions', { body: input(over), ...(token === undefined ? {} : { token }) });

async function created(over: Record<string, unknown> = {}): Promise<string> {
  const { status, json, text } = await create(over);
  if (status !== 201) throw new Error(`${status} ${text}`);
  return json.id;
}

async function lifeOf(answer: { json: unknown }): Promise<number> {
  const { expirationDateTime } = answer.json as { expirationDateTime: string };
  return new Date(expirationDateTime).getTime() - Date.now();
}

describe('creating a subscription', () => {
  it('validates both addresses and answers 201 with the whole of it', async () => {
    const seen: string[] = [];
    answerer = (request, response) => {
      seen.push(`${request.method} ${request.url?.split('?')[0]} ${request.headers['content-type']}`);
      shakesHands(request, response);
    };
    const { status, json } = await create();
    expect(status).toBe(201);
    expect(json).toMatchObject({
      resource: RECORDINGS,
      applicationId: CLIENT_ID,
      changeType: 'created',
      clientState: 'secret',
      lifecycleNotificationUrl: `${address}/lifecycle`,
      includeResourceData: null,
      latestSupportedTlsVersion: 'v1_2',
    });
    expect(seen).toEqual(['POST /notify text/plain; charset=utf-8', 'POST /lifecycle text/plain; charset=utf-8']);
  });

  it.each([
    ['longer than three days is cut', 5 * DAY_MS, 3 * DAY_MS],
    ['shorter than 45 minutes is raised', 60_000, 45 * 60_000],
    ['in between is kept', 2 * DAY_MS, 2 * DAY_MS],
  ])('a life that is %s', async (_case, asked, given) => {
    const life = await lifeOf(await create({ expirationDateTime: inMs(asked) }));
    expect(Math.abs(life - given)).toBeLessThan(5_000);
  });

  it('needs a lifecycle address for more than an hour only', async () => {
    const long = await create({ lifecycleNotificationUrl: undefined });
    expect([long.status, long.json.error.message]).toEqual([
      400,
      expect.stringContaining('lifecycleNotificationUrl is required'),
    ]);
    const short = await create({ lifecycleNotificationUrl: undefined, expirationDateTime: inMs(HOUR_MS) });
    expect(short.status).toBe(201);
  });

  it.each([
    ['plain http', { notificationUrl: 'http://hooks.example/notify' }],
    ['a lifecycle address with plain http', { lifecycleNotificationUrl: 'http://hooks.example/notify' }],
    ['a clientState of 129 characters', { clientState: 'x'.repeat(129) }],
    ['another changeType', { changeType: 'updated' }],
    ['another resource', { resource: 'users/x/messages' }],
    ['no resource', { resource: undefined }],
    ['a life that is over', { expirationDateTime: inMs(-1000) }],
    ['no date', { expirationDateTime: 'soon' }],
    ['resource data without a certificate', { includeResourceData: true }],
    ['an unknown property', { colour: 'blue' }],
  ])('refuses %s', async (_case, over) => {
    expect((await create(over)).status).toBe(400);
  });

  it.each<[string, Answerer, RegExp]>([
    ['does not answer', (request) => void request.socket.destroy(), /failed/],
    ['answers 202', (_request, response) => void response.writeHead(202).end(), /200 OK/],
    [
      'answers another text',
      (_request, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('hello'),
      /failed/,
    ],
    [
      'answers the token as HTML',
      (request, response) => {
        const token = new URL(request.url ?? '', 'http://x').searchParams.get('validationToken');
        response.writeHead(200, { 'content-type': 'text/html' }).end(token);
      },
      /failed/,
    ],
    ['is too slow', () => undefined, /timed out/],
  ])('is refused when the address %s', async (_case, answers, message) => {
    await sim.control.setSubscriptionBehaviour({ answerWithinMs: 200, validationCode: 'ValidationError' });
    answerer = answers;
    const { status, json } = await create();
    expect([status, json.error.code]).toEqual([400, 'ValidationError']);
    expect(json.error.message).toMatch(message);
    expect(await sim.control.listSubscriptions(DIRECTORY)).toEqual([]);
  });

  it('makes one of two alike, and says which', async () => {
    const id = await created();
    const again = await create();
    expect([again.status, again.json.error.message]).toEqual([
      409,
      `Subscription Id ${id} already exists for the requested combination`,
    ]);
    await sim.control.setSubscriptionBehaviour({ conflictNamesId: false });
    expect((await create()).json.error.message).not.toContain(id);
    expect((await create({ resource: TRANSCRIPTS })).status).toBe(201);
  });

  it('refuses beyond the quota', async () => {
    await sim.control.setSubscriptionBehaviour({ quota: 1 });
    await created();
    expect((await create({ resource: TRANSCRIPTS })).status).toBe(403);
  });

  it.each([
    [RECORDINGS, 'OnlineMeetingTranscript.Read.All'],
    [TRANSCRIPTS, 'OnlineMeetingRecording.Read.All'],
  ])('needs the role that reads %s', async (resource, role) => {
    const token = await sim.tokenWithRoles(role);
    const { status, json } = await create({ resource }, token);
    expect([status, json.error.message]).toEqual([403, expect.stringContaining('missing required permissions')]);
  });

  it('needs the Teams policy for a user, unless told otherwise', async () => {
    await sim.control.updateUser(DIRECTORY, ORGANIZER, { teamsPolicyAppIds: [] });
    expect((await create()).json.error.message).toContain('No application access policy');
    await sim.control.setSubscriptionBehaviour({ policy: 'ignored' });
    expect((await create()).status).toBe(201);
  });

  it('needs a user that there is', async () => {
    const { status } = await create({ resource: `users/${OTHER.organizer}/onlineMeetings/getAllRecordings` });
    expect(status).toBe(404);
  });
});

describe('a subscription', () => {
  it('is read, listed, renewed and deleted by its app alone', async () => {
    const id = await created();
    const path = `/subscriptions/${id}`;
    const token = await sim.newToken({ client_id: OTHER.clientId, client_secret: OTHER.secret }, OTHER.directory);
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? { expirationDateTime: inMs(DAY_MS) } : undefined;
      const refused = await sim.call(method, path, { token, body });
      expect([refused.status, refused.json.error.code]).toEqual([404, 'ResourceNotFound']);
    }
    expect((await sim.call('GET', '/subscriptions', { token })).json.value).toEqual([]);
    expect((await sim.call('GET', path)).json.id).toBe(id);
    expect((await sim.call('GET', '/subscriptions')).json.value).toMatchObject([{ id, clientState: 'secret' }]);
    await sim.control.setSubscriptionBehaviour({ showsClientState: false, unknownCode: 'ExtensionError' });
    expect((await sim.call('GET', path)).json).toMatchObject({ clientState: null });
    const renewed = await sim.call('PATCH', path, { body: { expirationDateTime: inMs(DAY_MS) } });
    expect(Math.abs((await lifeOf(renewed)) - DAY_MS)).toBeLessThan(5_000);
    expect((await sim.call('POST', `${path}/reauthorize`)).status).toBe(204);
    expect((await sim.call('DELETE', path)).status).toBe(204);
    const gone = await sim.call('GET', path);
    expect([gone.status, gone.json.error.code]).toEqual([404, 'ExtensionError']);
  });

  it('takes another address after a handshake, and nothing else', async () => {
    const path = `/subscriptions/${await created()}`;
    expect((await sim.call('PATCH', path, { body: { clientState: 'other' } })).status).toBe(400);
    expect((await sim.call('PATCH', path, { body: { lifecycleNotificationUrl: `${address}/x` } })).status).toBe(400);
    answerer = (_request, response) => void response.writeHead(404).end();
    const body = { notificationUrl: `${address}/elsewhere` };
    expect((await sim.call('PATCH', path, { body })).status).toBe(400);
    answerer = shakesHands;
    expect((await sim.call('PATCH', path, { body })).json).toMatchObject(body);
  });

  it('is gone when it has lapsed by the simulator’s clock', async () => {
    const id = await created();
    await sim.control.advanceClock(2 * DAY_MS + 1000);
    const token = await sim.newToken();
    expect((await sim.call('GET', `/subscriptions/${id}`, { token })).status).toBe(404);
    expect((await create({}, token)).status).toBe(400);
  });
});

describe('deliveries', () => {
  async function takePlace(over: object = {}) {
    const { meetingId } = await sim.createMeeting();
    return sim.control.meetingTookPlace({ directoryId: DIRECTORY, meetingId, ...over });
  }

  const items = () => received.flatMap(({ value }) => value);

  it('tell of each artifact, to the subscribers of its kind and organizer', async () => {
    const recordings = await created();
    const transcripts = await created({ resource: TRANSCRIPTS });
    const { meetingId, recordings: made, transcripts: written } = await takePlace();
    expect(await sim.control.deliveriesDone()).toMatchObject([
      { items: 1, tries: 1, status: 202 },
      { items: 1, tries: 1, status: 202 },
    ]);
    const resource = `communications/onlineMeetings('${meetingId}')/recordings('${made[0]?.id}')`;
    expect(items().find((item) => item.subscriptionId === recordings)).toMatchObject({
      changeType: 'created',
      clientState: 'secret',
      tenantId: DIRECTORY,
      subscriptionExpirationDateTime: expect.stringMatching(/\+00:00$/),
      resource,
      resourceData: { id: made[0]?.id, '@odata.type': '#Microsoft.Graph.callRecording', '@odata.id': resource },
    });
    expect(items().find((item) => item.subscriptionId === transcripts)).toMatchObject({
      resourceData: { id: written[0]?.id },
    });
  });

  it('name the user’s path where they are told to', async () => {
    await created();
    await sim.control.setSubscriptionBehaviour({ resourceForm: 'users' });
    const { meetingId } = await takePlace({ transcripts: 0 });
    await sim.control.deliveriesDone();
    expect(items()[0]?.resource).toContain(`users('${ORGANIZER}')/onlineMeetings('${meetingId}')/recordings('`);
  });

  it('wait until the artifacts are there', async () => {
    await created();
    await takePlace({ startedAt: new Date().toISOString(), durationSeconds: 60, availableAfterSeconds: 600 });
    expect(await sim.control.deliveriesDone()).toEqual([]);
    await sim.control.advanceClock(700_000);
    expect(await sim.control.deliveriesDone()).toHaveLength(1);
  });

  it('say nothing of a transcript whose call began before the subscription', async () => {
    await created();
    await created({ resource: TRANSCRIPTS });
    await takePlace({ startedAt: inMs(-HOUR_MS), durationSeconds: 60 });
    expect(await sim.control.deliveriesDone()).toHaveLength(1);
    expect(items()).toMatchObject([{ resourceData: { '@odata.type': '#Microsoft.Graph.callRecording' } }]);
  });

  it('are repeated after growing gaps, and given up in the end', async () => {
    await created();
    await sim.control.setSubscriptionBehaviour({ firstRetryMs: 5, maxTries: 3 });
    let tries = 0;
    answerer = (_request, response) => {
      tries += 1;
      response.writeHead(tries < 3 ? 503 : 202).end();
    };
    await takePlace({ transcripts: 0 });
    expect(await sim.control.deliveriesDone()).toMatchObject([{ tries: 3, status: 202 }]);
    answerer = (_request, response) => void response.writeHead(500).end();
    await takePlace({ transcripts: 0 });
    expect(await sim.control.deliveriesDone()).toMatchObject([{ tries: 3, status: 500 }]);
  });

  it('are held back and let go changed, repeated, backwards and together', async () => {
    await created();
    await sim.control.holdNotifications();
    const { recordings } = await takePlace({ recordings: 2, transcripts: 0 });
    expect(await sim.control.deliveriesDone()).toEqual([]);
    expect(await sim.control.heldNotifications()).toHaveLength(2);
    await sim.control.releaseNotifications({ reversed: true, times: 2, together: true, clientState: 'wrong' });
    expect(await sim.control.deliveriesDone()).toMatchObject([{ items: 4 }]);
    const [first, second] = recordings.map(({ id }) => id);
    expect(items().map((item) => [item.clientState, (item.resourceData as { id: string }).id])).toEqual(
      [second, second, first, first].map((id) => ['wrong', id]),
    );
  });

  it('carry lifecycle events to their own address, and stop until the subscription is authorized again', async () => {
    const id = await created();
    await sim.control.sendLifecycleEvent({ subscriptionId: id, event: 'reauthorizationRequired', pauses: true });
    await sim.control.deliveriesDone();
    expect(received).toMatchObject([
      {
        path: '/lifecycle',
        value: [
          { subscriptionId: id, tenantId: DIRECTORY, clientState: 'secret', lifecycleEvent: 'reauthorizationRequired' },
        ],
      },
    ]);
    await takePlace();
    expect(await sim.control.deliveriesDone()).toEqual([]);
    await sim.call('PATCH', `/subscriptions/${id}`, { body: { expirationDateTime: inMs(DAY_MS) } });
    await takePlace();
    expect(await sim.control.deliveriesDone()).toHaveLength(1);
  });

  it('tell of a removal when the subscription is gone', async () => {
    const id = await created();
    await sim.control.sendLifecycleEvent({ subscriptionId: id, event: 'subscriptionRemoved' });
    await sim.control.deliveriesDone();
    expect(items()).toMatchObject([{ lifecycleEvent: 'subscriptionRemoved' }]);
    expect(await sim.control.listSubscriptions(DIRECTORY)).toEqual([]);
  });
});
