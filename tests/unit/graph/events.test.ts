import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GraphEventDraft } from '../../../src/graph/types.ts';
import { type FakeMicrosoft, graphError, json, serviceFor, startFakeMicrosoft } from './fake-microsoft.ts';

const EVENT = {
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users/events/$entity',
  id: 'AAMk+/=',
  iCalUId: '040000008200E00074C5B7101A82E008',
  subject: 'Review',
  start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
  end: { dateTime: '2026-12-01T10:30:00.0000000', timeZone: 'UTC' },
  isOnlineMeeting: true,
  onlineMeetingProvider: 'teamsForBusiness',
  onlineMeetingUrl: null,
  onlineMeeting: { joinUrl: 'https://teams.example/join', conferenceId: '1' },
  isCancelled: false,
  body: { contentType: 'html', content: '<html>join block</html>' },
  attendees: [
    {
      type: 'required',
      status: { response: 'none', time: '0001-01-01T00:00:00Z' },
      emailAddress: { name: 'Ann', address: 'ann@client.example' },
    },
    {
      type: 'required',
      status: { response: 'accepted', time: '2026-11-23T08:00:00.1234567Z' },
      emailAddress: { address: 'bob@client.example' },
    },
  ],
};

const DRAFT: GraphEventDraft = {
  subject: 'Review',
  startsAt: new Date('2026-12-01T09:00:00Z'),
  endsAt: new Date('2026-12-01T10:30:00Z'),
  bodyHtml: '<p>Agenda</p>',
  attendees: [
    { emailAddress: 'ann@client.example', name: 'Ann' },
    { emailAddress: 'bob@client.example', name: null },
  ],
  transactionId: 'transaction-1',
};

let fake: FakeMicrosoft;
beforeEach(async () => {
  fake = await startFakeMicrosoft();
});
afterEach(() => fake.close());

describe('create', () => {
  it('asks for a Teams meeting in UTC and returns the event', async () => {
    fake.answerGraph(json(201, EVENT));
    const event = await serviceFor(fake).client.events.create('user@acme.example', DRAFT);
    const [request] = fake.graphRequests;
    expect(request).toMatchObject({ method: 'POST', url: '/v1.0/users/user%40acme.example/events' });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(request?.headers.prefer).toBe('outlook.timezone="UTC", IdType="ImmutableId"');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      subject: 'Review',
      start: { dateTime: '2026-12-01T09:00:00.000', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:30:00.000', timeZone: 'UTC' },
      body: { contentType: 'HTML', content: '<p>Agenda</p>' },
      attendees: [
        { type: 'required', emailAddress: { address: 'ann@client.example', name: 'Ann' } },
        { type: 'required', emailAddress: { address: 'bob@client.example' } },
      ],
      isOnlineMeeting: true,
      onlineMeetingProvider: 'teamsForBusiness',
      transactionId: 'transaction-1',
    });
    expect(event).toEqual({
      id: 'AAMk+/=',
      iCalUId: '040000008200E00074C5B7101A82E008',
      etag: null,
      transactionId: null,
      subject: 'Review',
      startsAt: DRAFT.startsAt,
      endsAt: DRAFT.endsAt,
      isOnlineMeeting: true,
      joinUrl: 'https://teams.example/join',
      isCancelled: false,
      bodyHtml: '<html>join block</html>',
      attendees: [
        { emailAddress: 'ann@client.example', name: 'Ann', response: 'none', respondedAt: null },
        {
          emailAddress: 'bob@client.example',
          name: null,
          response: 'accepted',
          respondedAt: new Date('2026-11-23T08:00:00.123Z'),
        },
      ],
    });
  });

  it('looks again for a join link that comes later', async () => {
    const pending = { ...EVENT, onlineMeeting: null };
    fake.answerGraph(json(201, pending), json(200, pending), json(200, EVENT));
    const { client, waits } = serviceFor(fake);
    expect(await client.events.create('u1', DRAFT)).toMatchObject({ joinUrl: 'https://teams.example/join' });
    expect(waits).toEqual([500, 1_000]);
    expect(fake.graphRequests.map((request) => request.method)).toEqual(['POST', 'GET', 'GET']);
    expect(fake.graphRequests[1]?.url).toContain('/events/AAMk%2B%2F%3D?$select=');
  });

  it('returns the event without a link when none comes', async () => {
    const pending = { ...EVENT, onlineMeeting: { joinUrl: '' } };
    fake.answerGraph(json(201, pending), json(200, pending));
    const event = await serviceFor(fake).client.events.create('u1', DRAFT);
    expect(event).toMatchObject({ id: 'AAMk+/=', joinUrl: null, isOnlineMeeting: true });
    expect(fake.graphRequests).toHaveLength(4);
  });

  it('returns the event when looking again fails', async () => {
    fake.answerGraph(json(201, { ...EVENT, onlineMeeting: null }), json(404));
    expect(await serviceFor(fake).client.events.create('u1', DRAFT)).toMatchObject({ id: 'AAMk+/=', joinUrl: null });
  });

  it('stops looking when the caller aborts', async () => {
    const controller = new AbortController();
    fake.answerGraph(json(201, { ...EVENT, onlineMeeting: null }), () => controller.abort());
    const create = serviceFor(fake).client.events.create('u1', DRAFT, { signal: controller.signal });
    await expect(create).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('returns an event without Teams as it is', async () => {
    fake.answerGraph(
      json(201, { ...EVENT, isOnlineMeeting: false, onlineMeetingProvider: 'unknown', onlineMeeting: null }),
    );
    const event = await serviceFor(fake).client.events.create('u1', DRAFT);
    expect(event).toMatchObject({ isOnlineMeeting: false, joinUrl: null });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('names the event that already has the transaction id', async () => {
    const error = { code: 'ErrorDuplicateTransactionId', message: 'used', '@event.existingEventId': 'AAMkOld=' };
    fake.answerGraph(json(400, { error }));
    await expect(serviceFor(fake).client.events.create('u1', DRAFT)).rejects.toMatchObject({
      kind: 'DUPLICATE_TRANSACTION',
      existingEventId: 'AAMkOld=',
    });
  });

  it.each([
    ['role missing', [], 'ROLE_MISSING'],
    ['role there', ['Calendars.ReadWrite'], 'FORBIDDEN'],
  ] as const)('tells a 403 by the roles in the token: %s', async (_name, roles, kind) => {
    const claims = Buffer.from(JSON.stringify({ roles })).toString('base64url');
    fake.answerTokens(json(200, { token_type: 'Bearer', expires_in: 3599, access_token: `h.${claims}.s` }));
    fake.answerGraph(graphError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.'));
    await expect(serviceFor(fake).client.events.create('u1', DRAFT)).rejects.toMatchObject({ kind });
  });
});

describe('get', () => {
  it('asks for the body only when it is wanted', async () => {
    fake.answerGraph(json(200, EVENT));
    const { client } = serviceFor(fake);
    await client.events.get('u1', 'AAMk=');
    await client.events.get('u1', 'AAMk=', { includeBody: true });
    const selected = fake.graphRequests.map((request) =>
      new URL(request.url, fake.url).searchParams.get('$select')?.split(','),
    );
    expect(selected[0]).not.toContain('body');
    expect(selected[1]).toContain('body');
    expect(selected[0]).toContain('onlineMeeting');
  });

  it('survives everything optional being absent or null', async () => {
    const { id, start, end } = EVENT;
    fake.answerGraph(json(200, { id, start: { dateTime: start.dateTime }, end, subject: null, attendees: [{}] }));
    expect(await serviceFor(fake).client.events.get('u1', 'AAMk=')).toMatchObject({
      subject: '',
      iCalUId: null,
      joinUrl: null,
      isOnlineMeeting: false,
      isCancelled: false,
      bodyHtml: '',
      attendees: [{ emailAddress: '', name: null, response: 'none', respondedAt: null }],
    });
  });

  it.each([
    ['a zone that cannot be read', { ...EVENT, start: { ...EVENT.start, timeZone: 'Pacific Standard Time' } }],
    ['no instant', { ...EVENT, start: { dateTime: 'tomorrow', timeZone: 'UTC' } }],
    ['no id', { ...EVENT, id: undefined }],
    ['a list', []],
  ])('refuses an answer with %s', async (_name, body) => {
    fake.answerGraph(json(200, body));
    await expect(serviceFor(fake).client.events.get('u1', 'AAMk=')).rejects.toMatchObject({
      name: 'GraphRequestError',
      kind: 'UNKNOWN',
      status: 200,
      requestId: 'request-1',
    });
  });

  it('refuses a success that is no JSON', async () => {
    fake.answerGraph((_request, response) => {
      response.end('<html>sign in</html>');
    });
    await expect(serviceFor(fake).client.events.get('u1', 'AAMk=')).rejects.toMatchObject({ kind: 'UNKNOWN' });
  });

  it('refuses an id that would change the path, without a call', async () => {
    await expect(serviceFor(fake).client.events.get('u1', '..')).rejects.toMatchObject({ kind: 'INVALID_REQUEST' });
    expect(fake.graphRequests).toHaveLength(0);
  });
});

describe('update', () => {
  it('sends what is given and never the body', async () => {
    fake.answerGraph(json(200, EVENT));
    await serviceFor(fake).client.events.update('u1', 'AAMk=', { endsAt: DRAFT.endsAt });
    const [request] = fake.graphRequests;
    expect(request).toMatchObject({ method: 'PATCH', url: '/v1.0/users/u1/events/AAMk%3D' });
    expect(JSON.parse(request?.body ?? '')).toEqual({ end: { dateTime: '2026-12-01T10:30:00.000', timeZone: 'UTC' } });
  });

  it('removes all attendees with an empty list', async () => {
    fake.answerGraph(json(200, EVENT));
    await serviceFor(fake).client.events.update('u1', 'AAMk=', { attendees: [] });
    expect(JSON.parse(fake.graphRequests[0]?.body ?? '')).toEqual({ attendees: [] });
  });

  it('reads when there is nothing to change', async () => {
    fake.answerGraph(json(200, EVENT));
    expect((await serviceFor(fake).client.events.update('u1', 'AAMk=', {})).id).toBe('AAMk+/=');
    expect(fake.graphRequests[0]?.method).toBe('GET');
  });
});

describe('delete', () => {
  it('succeeds with 204', async () => {
    fake.answerGraph(json(204));
    await expect(serviceFor(fake).client.events.delete('u1', 'AAMk=')).resolves.toBeUndefined();
    expect(fake.graphRequests[0]?.method).toBe('DELETE');
  });

  it('succeeds when the event is gone', async () => {
    fake.answerGraph(graphError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.'));
    await expect(serviceFor(fake).client.events.delete('u1', 'AAMk=')).resolves.toBeUndefined();
  });

  it('succeeds when the first try worked but was not answered', async () => {
    fake.answerGraph(json(504), graphError(404, 'ErrorItemNotFound'));
    await expect(serviceFor(fake).client.events.delete('u1', 'AAMk=')).resolves.toBeUndefined();
  });

  it.each([
    ['the user is unknown', graphError(404, 'ErrorInvalidUser'), 'USER_NOT_FOUND'],
    ['there is no mailbox', graphError(404, 'MailboxNotEnabledForRESTAPI'), 'MAILBOX_UNAVAILABLE'],
    ['some gateway knows no such page', json(404), 'NOT_FOUND'],
  ])('fails when %s', async (_name, answer, kind) => {
    fake.answerGraph(answer);
    await expect(serviceFor(fake).client.events.delete('u1', 'AAMk=')).rejects.toMatchObject({ kind });
  });
});

describe('defaultCalendar', () => {
  it('tells the providers', async () => {
    fake.answerGraph(
      json(200, {
        id: 'AQMk',
        allowedOnlineMeetingProviders: ['teamsForBusiness'],
        defaultOnlineMeetingProvider: 'teamsForBusiness',
      }),
    );
    expect(await serviceFor(fake).client.events.defaultCalendar('u1')).toEqual({
      id: 'AQMk',
      allowedOnlineMeetingProviders: ['teamsForBusiness'],
      defaultOnlineMeetingProvider: 'teamsForBusiness',
    });
  });

  it('takes absent providers for none', async () => {
    fake.answerGraph(json(200, { id: 'AQMk' }));
    expect(await serviceFor(fake).client.events.defaultCalendar('u1')).toEqual({
      id: 'AQMk',
      allowedOnlineMeetingProviders: [],
      defaultOnlineMeetingProvider: null,
    });
  });
});

it('users.get selects what it returns', async () => {
  fake.answerGraph(json(200, { id: 'u1', userPrincipalName: 'u1@acme.example', displayName: 'U', mail: null }));
  expect(await serviceFor(fake).client.users.get('u1')).toEqual({
    id: 'u1',
    userPrincipalName: 'u1@acme.example',
    displayName: 'U',
    mail: null,
    accountEnabled: null,
    hasTeamsPlan: null,
  });
  expect(fake.graphRequests[0]?.url).toBe(
    '/v1.0/users/u1?$select=id,userPrincipalName,displayName,mail,accountEnabled,assignedPlans',
  );
});

it.each([
  ['an active plan of Teams', [{ service: 'TeamspaceAPI', capabilityStatus: 'Enabled' }], true],
  ['one in its grace period', [{ service: 'TeamspaceAPI', capabilityStatus: 'Warning' }], true],
  ['one that was taken away', [{ service: 'TeamspaceAPI', capabilityStatus: 'Deleted' }], false],
  ['other plans', [{ service: 'exchange', capabilityStatus: 'Enabled' }], false],
  ['no plan', [], false],
])('users.get tells of %s whether Teams is licensed', async (_name, assignedPlans, expected) => {
  fake.answerGraph(json(200, { id: 'u1', userPrincipalName: 'u1@acme.example', assignedPlans }));
  expect((await serviceFor(fake).client.users.get('u1')).hasTeamsPlan).toBe(expected);
});

it('tells the request id of each answer, the last one last', async () => {
  fake.answerGraph(
    json(503, {}, { 'request-id': 'first' }),
    json(200, { id: 'u1', userPrincipalName: 'u1@acme.example' }, { 'request-id': 'second' }),
  );
  const told: string[] = [];
  await serviceFor(fake).client.users.get('u1', { onRequestId: (id) => void told.push(id) });
  expect(told).toEqual(['first', 'second']);
});
