import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attempts } from './attempts.ts';
import { expectNothingOf, type Stage, setTheStage, tokenOfA, tokenOfB } from './stage.ts';

const ENTITIES = `query ($representations: [_Any!]!) { _entities(representations: $representations) { __typename
  ... on TeamsMeeting { id subject joinUrl attendees { emailAddress } }
  ... on MeetingRecording { id contentUrl meeting { subject } }
  ... on MeetingTranscript { id text vttUrl }
  ... on Appointment { id teamsMeeting { id subject } recordings { contentUrl } transcripts { text } }
  ... on Interaction { id teamsMeeting { id subject } recordings { contentUrl } transcripts { text } contact { id } client { id } suggestedAttendees { emailAddress name } }
  ... on Client { id } ... on Contact { id } ... on User { id }
} }`;

let stage: Stage;
beforeAll(async () => {
  stage = await setTheStage();
});
afterAll(() => stage.subgraph.close());

interface Answer {
  data: { _entities: (Record<string, unknown> | null)[] } | null;
  codes: string[];
  text: string;
}

async function ask(token: string, representations: unknown): Promise<Answer> {
  const answer = await stage.withoutEffect(() =>
    stage.subgraph.send<{ _entities: (Record<string, unknown> | null)[] }>(token, ENTITIES, { representations }),
  );
  expect(answer.status).toBeLessThan(500);
  const codes = [...new Set(answer.errors.map(({ extensions }) => extensions.code))];
  return { data: answer.data, codes, text: JSON.stringify(answer) };
}

describe('representations that no gateway sends', () => {
  const hostile = attempts('_entities with a hostile representation');
  const malformed: [string, unknown][] = [
    ['a number', 1],
    ['a text', 'TeamsMeeting'],
    ['a list', [{ __typename: 'TeamsMeeting' }]],
    ['an empty object', {}],
    ['no id', { __typename: 'TeamsMeeting' }],
    ['null for an id', { __typename: 'TeamsMeeting', id: null }],
    ['an object for an id', { __typename: 'TeamsMeeting', id: { in: [''] } }],
    ['a condition for an id', { __typename: 'MeetingRecording', id: { not: '' } }],
    ['a list for an id', { __typename: 'MeetingTranscript', id: ['a', 'b'] }],
    ['a number for an id', { __typename: 'TeamsMeeting', id: 5 }],
    ['a boolean for an id', { __typename: 'Appointment', id: true }],
    ['an appointment without an id', { __typename: 'Appointment' }],
    ['an appointment whose id is a condition', { __typename: 'Appointment', id: { contains: '' } }],
    ['an interaction whose id is a list', { __typename: 'Interaction', id: ['x', 'y'] }],
    ['a client without an id', { __typename: 'Client' }],
    ['a root type', { __typename: 'Query', id: 'x' }],
    ['the type of mutations', { __typename: 'Mutation', id: 'x' }],
    ['a type that is no entity', { __typename: 'TeamsSettings', id: 'x' }],
    ['a type of the introspection', { __typename: '__Schema', id: 'x' }],
    ['an interface', { __typename: 'Node', id: 'x' }],
    ['a scalar', { __typename: 'DateTime', id: 'x' }],
    ['a type that is not there', { __typename: 'Ticket', id: 'x' }],
    ['a name of prototypes', { __typename: 'constructor', id: 'x' }],
    ['__proto__ for a type', { __typename: '__proto__', id: 'x' }],
    ['a number for a type', { __typename: 5, id: 'x' }],
    ['a list for a type', { __typename: ['Appointment'], id: 'x' }],
    ['a type in other case', { __typename: 'teamsmeeting', id: 'x' }],
    ['a contact without an id', { __typename: 'Interaction', id: 'x', contact: {} }],
    ['a contact that is a text', { __typename: 'Interaction', id: 'x', contact: 'jane' }],
    ['a contact whose address is an object', { __typename: 'Interaction', id: 'x', contact: { id: 'c', email: {} } }],
    [
      'a contact whose address is a list',
      { __typename: 'Interaction', id: 'x', contact: { id: 'c', email: ['a@b.example'] } },
    ],
    [
      'a contact whose name is an object',
      { __typename: 'Interaction', id: 'x', contact: { id: 'c', email: 'a@b.example', name: {} } },
    ],
    [
      'a client whose place is a number',
      { __typename: 'Interaction', id: 'x', client: { id: 'c', defaultLocation: 5 } },
    ],
  ];
  for (const [what, representation] of malformed)
    hostile(`${what} is refused, and nothing else is`, async () => {
      const { data, codes } = await ask(await tokenOfA(stage), [
        representation,
        { __typename: 'TeamsMeeting', id: stage.a.meetingId },
      ]);
      expect(codes).toEqual(['BAD_USER_INPUT']);
      expect(data?._entities).toMatchObject([null, { id: stage.a.meetingId }]);
    });

  hostile('null is refused', async () => {
    expect(await ask(await tokenOfA(stage), [null])).toMatchObject({ data: null, codes: ['BAD_USER_INPUT'] });
  });
  hostile('an object for the list is refused', async () => {
    const { data, codes } = await ask(await tokenOfA(stage), { length: 1 });
    expect({ data, codes }).toEqual({ data: { _entities: [null] }, codes: ['BAD_USER_INPUT'] });
  });

  const unknown: [string, Record<string, unknown>][] = [
    ['a NUL in an id', { __typename: 'Appointment', id: 'x\0' }],
    ['half a character', { __typename: 'Interaction', id: '\ud800' }],
    ['SQL for an id', { __typename: 'Appointment', id: "' OR 1=1 --" }],
    ['a pattern for an id', { __typename: 'Appointment', id: '%' }],
    ['an id of 64 KiB', { __typename: 'Appointment', id: 'x'.repeat(65_536) }],
    [
      'an id in the shape of a UUID with a newline',
      { __typename: 'TeamsMeeting', id: '00000000-0000-0000-0000-000000000000\n' },
    ],
    ['an id of prototypes', { __typename: 'Appointment', id: '__proto__' }],
  ];
  for (const [what, representation] of unknown)
    hostile(`${what} is an id that is not known`, async () => {
      const { codes, text } = await ask(await tokenOfA(stage), [representation]);
      expect(codes).toEqual([]);
      expectNothingOf(stage.a, text);
    });
});

describe('representations that bring along what they want to get', () => {
  const smuggled = attempts('_entities with smuggled fields');
  const fields: [string, (stage: Stage) => Record<string, unknown>][] = [
    ['the victim’s tenant', ({ a }) => ({ __typename: 'TeamsMeeting', id: a.meetingId, tenantId: 'tenant-a' })],
    [
      'the victim’s tenant as a column',
      ({ a }) => ({ __typename: 'TeamsMeeting', id: a.meetingId, tenant_id: 'tenant-a' }),
    ],
    [
      'a viewer',
      ({ a }) => ({ __typename: 'MeetingTranscript', id: a.transcriptId, viewer: { tenantId: 'tenant-a' } }),
    ],
    ['the row itself', ({ a }) => ({ __typename: 'MeetingRecording', id: a.recordingId, meetingId: a.meetingId })],
    ['a meeting', ({ a }) => ({ __typename: 'Appointment', id: a.appointmentId, teamsMeeting: { id: a.meetingId } })],
    ['recordings', ({ a }) => ({ __typename: 'Interaction', id: 'x', recordings: [{ id: a.recordingId }] })],
    ['another type as well', ({ a }) => ({ __typename: 'Appointment', id: a.meetingId, type: 'TeamsMeeting' })],
    ['the id of a meeting as an appointment', ({ a }) => ({ __typename: 'Appointment', id: a.meetingId })],
    ['the id of a transcript as a recording', ({ a }) => ({ __typename: 'MeetingRecording', id: a.transcriptId })],
    ['the id in upper case', ({ a }) => ({ __typename: 'TeamsMeeting', id: a.meetingId.toUpperCase() })],
  ];
  for (const [what, make] of fields)
    smuggled(`${what}: another tenant gets nothing`, async () => {
      const representation = make(stage);
      const { text } = await ask(await tokenOfB(stage), [representation]);
      expect(text).not.toContain('INTERNAL_SERVER_ERROR');
      expectNothingOf(stage.a, text, JSON.stringify(representation));
      expect(text).not.toMatch(/"(subject|contentUrl|text)":"/);
    });

  smuggled('a meeting that the sender made up is not told as one', async () => {
    const meeting = { id: 'made-up', subject: 'made up', joinUrl: 'https://evil.example' };
    const { data } = await ask(await tokenOfA(stage), [{ __typename: 'Appointment', id: 'x', teamsMeeting: meeting }]);
    expect(data?._entities).toEqual([
      { __typename: 'Appointment', id: 'x', teamsMeeting: null, recordings: [], transcripts: [] },
    ]);
  });

  smuggled('prototype keys move nothing', async () => {
    const response = await stage.withoutEffect(async () =>
      fetch(`${stage.subgraph.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await tokenOfB(stage)}` },
        body: `{"query":"{ __typename }","variables":{"__proto__":{"tenantId":"tenant-a"}},"constructor":{"prototype":{"tenantId":"tenant-a"}}}`,
      }),
    );
    expect(response.status).toBe(400);
    expect(({} as { tenantId?: string }).tenantId).toBeUndefined();
  });
});

describe('cursors of another tenant', () => {
  const cursors = attempts('a cursor that is not one’s own');
  const LIST =
    'query ($after: String) { teamsMeetings(after: $after) { totalCount edges { cursor node { id subject } } } }';
  const SEARCH =
    'query ($query: String!, $after: String) { searchTranscripts(query: $query, after: $after) { edges { cursor node { excerpt } } } }';
  interface Page {
    edges: { cursor: string }[];
  }
  const firstCursor = async (operation: string) => {
    const { data } = await stage.subgraph.send<Record<string, Page>>(await tokenOfA(stage), operation, {
      query: stage.a.word,
    });
    return Object.values(data ?? {})[0]?.edges[0]?.cursor ?? '';
  };
  const given = async (operation: string, after: string) =>
    stage.withoutEffect(async () =>
      stage.subgraph.send(await tokenOfB(stage), operation, { query: stage.a.word, after }),
    );

  for (const [list, operation] of [
    ['teamsMeetings', LIST],
    ['searchTranscripts', SEARCH],
  ] as const) {
    cursors(`of ${list} shows nothing of the victim`, async () => {
      const cursor = await firstCursor(operation);
      expect(cursor).not.toBe('');
      expectNothingOf(stage.a, JSON.stringify(await given(operation, cursor)));
    });
    for (const after of [
      '',
      'x',
      '-1',
      '9'.repeat(40),
      "'; --",
      '\0',
      '{"id":"x"}',
      Buffer.from('1:x').toString('base64url'),
    ])
      cursors(`${JSON.stringify(after)} of ${list} is no way round`, async () => {
        const answer = await given(operation, after);
        expect(answer.errors.map(({ extensions }) => extensions.code)).not.toContain('INTERNAL_SERVER_ERROR');
        expectNothingOf(stage.a, JSON.stringify(answer));
      });
  }
});

describe('a tenant that is named in the body', () => {
  const named = attempts('a tenant named in the body');
  for (const [what, operation, variables] of [
    ['an argument', '{ teamsSettings(tenantId: "tenant-a") { organizer { userPrincipalName } } }', {}],
    ['a field of the filter', '{ teamsMeetings(filter: { tenantId: "tenant-a" }) { totalCount } }', {}],
    [
      'a field of the input',
      'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { userErrors { code } } }',
      { input: { tenantId: 'tenant-a', sendMeetingInvites: false } },
    ],
    [
      'a variable beside the input',
      'mutation ($tenantId: ID) { runTeamsDiagnostics { userErrors { code } } }',
      { tenantId: 'tenant-a' },
    ],
    [
      'the client of the victim in the filter',
      '{ teamsMeetings(filter: { clientId: "client-acme" }) { edges { node { id subject } } } }',
      {},
    ],
  ] as const)
    named(`as ${what} opens nothing`, async () => {
      const token = await tokenOfB(stage);
      const answer = await stage.withoutEffect(() => stage.subgraph.send(token, operation, variables));
      expect(answer.status).toBeLessThan(500);
      expectNothingOf(stage.a, JSON.stringify(answer));
    });

  it('is in no part of the schema, so that nobody can name one', async () => {
    const { data } = await stage.subgraph.send<{ _service: { sdl: string } }>(null, '{ _service { sdl } }');
    expect(data?._service.sdl).not.toMatch(/^\s*tenant_?id\b/im);
  });
});
