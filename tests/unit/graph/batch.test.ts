import { describe, expect, it } from 'vitest';
import { allEmpty, artifact, batch, EMPTY, fake, itemsOf, list, on, USER, useBatches } from './batching.ts';
import { issueToken, json, serviceFor } from './fake-microsoft.ts';

useBatches();

describe('the request', () => {
  it('has relative addresses, unique ids, 20 items at most and the headers of single calls', async () => {
    fake.answerGraph(allEmpty);
    await list(25);
    expect(fake.graphRequests.map((request) => [request.method, request.url])).toEqual(
      Array(3).fill(['POST', '/v1.0/$batch']),
    );
    const batches = fake.graphRequests.map(itemsOf);
    expect(batches.map(({ length }) => length).sort()).toEqual([10, 20, 20]);
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(50);
    expect(batches.flat().find(({ id }) => id === '0')).toMatchObject({
      method: 'GET',
      url: `/users/${USER}/onlineMeetings/m0/recordings`,
      headers: { accept: 'application/json', prefer: 'IdType="ImmutableId"' },
    });
  });

  it('percent-encodes ids and links exactly once', async () => {
    fake.answerGraph(allEmpty);
    const { client } = serviceFor(fake);
    await client.artifacts.listOfMeetings(USER, ['MSo+/a=']);
    const link = "https://teams.microsoft.com/l/meetup-join/19%3ait's%40thread.v2/0?context=%7b%22";
    await client.onlineMeetings.findManyByJoinUrl(USER, [link]);
    const [first, second] = fake.graphRequests.map((request) => itemsOf(request)[0]?.url ?? '');
    expect(first).toBe(`/users/${USER}/onlineMeetings/MSo%2B%2Fa%3D/recordings`);
    const filter = new URLSearchParams(second?.split('?')[1]).get('$filter');
    expect(filter).toBe(`JoinWebUrl eq '${link.replace("'", "''")}'`);
  });

  it('leaves a place of the mailbox to others', async () => {
    let active = 0;
    let most = 0;
    fake.answerGraph(async (request, response) => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setTimeout(resolve, 5));
      active -= 1;
      return allEmpty(request, response);
    });
    await list(100);
    expect(most).toBe(3);
  });
});

describe('the answers', () => {
  it('are told apart by id, in whatever order and however the id is written', async () => {
    fake.answerGraph(
      batch(({ id, url }) => ({ id: Number(id), status: 200, body: { value: [artifact(url.split('/')[4] ?? '')] } })),
    );
    const { of } = await list(10);
    expect(of(7)?.recordings.value).toMatchObject([{ id: 'm7' }]);
    expect(of(9)?.transcripts.value).toMatchObject([{ id: 'm9' }]);
  });

  it.each<[string, unknown]>([
    ['missing', null],
    ['no object', 'nothing'],
    ['without a status', { body: { value: [] } }],
    ['in another shape', { status: 200, body: { values: [] } }],
    ['without a body', { status: 200 }],
    ['text that is no JSON', { status: 200, body: '<html>' }],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' } }],
  ])('that are %s are the failure of that read alone', async (_what, given) => {
    fake.answerGraph((request, response) => {
      const responses = itemsOf(request).map(({ id, url }) =>
        url.includes('recordings')
          ? typeof given === 'object' && given !== null
            ? { id, ...given }
            : given
          : { id, ...EMPTY },
      );
      return json(200, { responses })(request, response);
    });
    const { of } = await list();
    expect(of(0)?.recordings.error?.kind).toBe('UNKNOWN');
    expect(of(0)?.transcripts).toEqual({ value: [] });
    expect(fake.graphRequests).toHaveLength(1);
  });

  it('that come twice count once', async () => {
    fake.answerGraph((request, response) => {
      const first = itemsOf(request).map(({ id }) => ({ id, ...EMPTY }));
      const second = itemsOf(request).map(({ id }) => ({ id, status: 403, body: {} }));
      return json(200, { responses: [...first, ...second] })(request, response);
    });
    const { of } = await list();
    expect(of(0)).toEqual({ recordings: { value: [] }, transcripts: { value: [] } });
  });

  it.each([
    [
      403,
      { code: 'Forbidden', message: 'Graph API', innerError: { code: 'GraphAccessToTranscriptsDisabled' } },
      'TRANSCRIPT_ACCESS_DISABLED',
    ],
    [403, { code: 'Forbidden', innererror: { code: 'SpeakerAttributionNotAllowed' } }, 'SPEAKER_ATTRIBUTION_DISABLED'],
    [403, { code: 'Forbidden', message: 'No application access policy found for this app.' }, 'TEAMS_POLICY_MISSING'],
    [403, { code: 'Forbidden', message: '3003: User does not have access to lookup meeting' }, 'TEAMS_POLICY_MISSING'],
    [403, { code: 'Forbidden', message: 'An error has occurred.' }, 'ROLE_MISSING'],
    [404, { code: 'NotFound', message: 'Organizer Id mismatch User Id: x' }, 'NOT_FOUND'],
    [404, { code: 'Request_ResourceNotFound', message: 'x' }, 'USER_NOT_FOUND'],
    [410, { code: 'Gone', message: 'x' }, 'NOT_FOUND'],
    [400, { code: 'BadRequest', message: '1026: An error has occurred.' }, 'INVALID_REQUEST'],
    [500, { code: 'UnknownError', message: '' }, 'UNAVAILABLE'],
  ] as const)('%i %o is %s, as of a single call', async (status, error, kind) => {
    fake.answerGraph(on('recordings', { status, body: { error } }));
    const { of } = await list();
    expect(of(0)?.recordings.error).toMatchObject({ kind, status, code: error.code });
    expect(of(0)?.transcripts.error).toBeUndefined();
  });

  it('tell a missing role from a refusal for another reason', async () => {
    fake.answerTokens(issueToken(['OnlineMeetingRecording.Read.All']));
    fake.answerGraph(batch(() => ({ status: 403, body: { error: { code: 'Forbidden', message: 'x' } } })));
    const { of } = await list();
    expect([of(0)?.recordings.error?.kind, of(0)?.transcripts.error?.kind]).toEqual(['FORBIDDEN', 'ROLE_MISSING']);
  });

  it('are logged with their request id when they failed, and without what is secret', async () => {
    fake.answerGraph(
      batch(({ url }) =>
        url.includes('recordings')
          ? {
              status: 403,
              body: { error: { code: 'Forbidden', message: 'x', innerError: { 'request-id': 'inner-1' } } },
            }
          : { status: 404, headers: { 'Request-Id': 'header-1' }, body: '' },
      ),
    );
    const { log, of } = await list();
    const warnings = log.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      {
        fields: {
          operation: 'artifacts.listOfMeetings',
          requestId: 'request-1',
          failed: [
            { path: '/users/{user}/onlineMeetings/{meeting}/recordings', status: 403, requestId: 'inner-1' },
            { path: '/users/{user}/onlineMeetings/{meeting}/transcripts', status: 404, requestId: 'header-1' },
          ],
        },
      },
    ]);
    expect(of(0)?.recordings.error?.requestId).toBe('inner-1');
    expect(JSON.stringify(log)).not.toMatch(/m0|Bearer|header\./);
  });

  it('without a request id are known by that of their batch', async () => {
    fake.answerGraph(on('recordings', { status: 404 }));
    expect((await list()).of(0)?.recordings.error?.requestId).toBe('request-1');
  });

  it('with headers that are none are read all the same', async () => {
    const headers = { 'Retry-After': 'a\r\nb', 'request-id': { x: 1 }, 'x-other': null };
    fake.answerGraph(on('recordings', { status: 404, headers }));
    expect((await list()).of(0)?.recordings.error?.kind).toBe('NOT_FOUND');
  });
});
