import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Supergraph, startSupergraph } from '../../../examples/supergraph/start-supergraph.ts';
import { ask, type GraphQLResult } from './ask.ts';
import { type FakeTeamsSubgraph, startFakeTeamsSubgraph } from './fake-teams-subgraph.ts';
import { createTokenIssuer, type TokenIssuer } from './tokens.ts';

const tina = { sub: 'user-tina', tenant_id: 'tenant-a', kind: 'msp' };
const uma = { sub: 'user-uma', tenant_id: 'tenant-b', kind: 'msp' };
const jane = { sub: 'jane', tenant_id: 'tenant-a', kind: 'client', client_id: 'client-acme' };
const ports = { gateway: 0, psaCore: 0 };
const hostname = '127.0.0.1';

let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await createTokenIssuer();
});
afterAll(() => issuer.close());

describe('a supergraph with both subgraphs up', () => {
  let teams: FakeTeamsSubgraph;
  let supergraph: Supergraph;
  let query: (claims: object, text: string) => Promise<GraphQLResult>;

  beforeAll(async () => {
    teams = await startFakeTeamsSubgraph();
    supergraph = await startSupergraph({ subgraphUrl: teams.url, hostname, ports, auth: issuer.auth });
    query = async (claims, text) => ask(supergraph.gatewayUrl, text, await issuer.token({ ...claims }));
  });
  afterEach(() => {
    teams.requests.length = 0;
  });
  afterAll(async () => {
    await supergraph.close();
    await teams.close();
  });

  it('joins the meeting to every appointment of a list with one request to the Teams subgraph', async () => {
    const result = await query(
      tina,
      '{ appointments { id client { name } assignedTo { name } teamsMeeting { id status joinUrl } recordings { id } } }',
    );
    expect(result.errors).toBeUndefined();
    const appointments = result.data?.appointments as { id: string; teamsMeeting: unknown; recordings: unknown }[];
    expect(appointments.map(({ id }) => id).sort()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `appt-a-${n}`));
    expect(appointments.find(({ id }) => id === 'appt-a-1')).toEqual({
      id: 'appt-a-1',
      client: { name: 'Acme GmbH' },
      assignedTo: { name: 'Tina Technician' },
      teamsMeeting: { id: 'meeting-1', status: 'SCHEDULED', joinUrl: 'https://teams.microsoft.com/l/meetup-join/1' },
      recordings: [],
    });
    expect(appointments.filter(({ teamsMeeting }) => teamsMeeting)).toHaveLength(1);
    expect(teams.requests).toHaveLength(1);
  });

  it('joins a meeting back to the client, contact, user and appointment of the PSA core', async () => {
    const result = await query(
      tina,
      `{ teamsMeeting(id: "meeting-1") {
        client { name } appointment { title }
        attendees { kind contact { name client { name } } user { name } }
      } }`,
    );
    expect(result).toEqual({
      data: {
        teamsMeeting: {
          client: { name: 'Acme GmbH' },
          appointment: { title: 'Quarterly review' },
          attendees: [
            { kind: 'CONTACT', contact: { name: 'Jane Doe', client: { name: 'Acme GmbH' } }, user: null },
            { kind: 'USER', contact: null, user: { name: 'Tina Technician' } },
          ],
        },
      },
    });
  });

  it('hands the linked contact and client to the Teams subgraph for suggested attendees', async () => {
    const result = await query(tina, '{ interactions { id suggestedAttendees { emailAddress name source } } }');
    expect(result).toEqual({
      data: {
        interactions: [
          {
            id: 'int-a-1',
            suggestedAttendees: [{ emailAddress: 'jane@acme.example', name: 'Jane Doe', source: 'CONTACT' }],
          },
          {
            id: 'int-a-2',
            suggestedAttendees: [
              { emailAddress: 'frontdesk@acme.example', name: 'Acme GmbH', source: 'CLIENT_LOCATION' },
            ],
          },
          {
            id: 'int-a-3',
            suggestedAttendees: [{ emailAddress: 'hello@initech.example', name: 'Initech Ltd', source: 'CLIENT' }],
          },
        ],
      },
    });
  });

  it('sends a mutation to the Teams subgraph and joins its answer', async () => {
    const result = await query(
      tina,
      `mutation { createTeamsMeeting(input: {
        appointmentId: "appt-a-1", subject: "S", startsAt: "2026-03-02T09:00:00Z", endsAt: "2026-03-02T10:00:00Z"
      }) { meeting { id client { name } } userErrors { code } } }`,
    );
    expect(result).toEqual({
      data: { createTeamsMeeting: { meeting: { id: 'meeting-1', client: { name: 'Acme GmbH' } }, userErrors: [] } },
    });
  });

  it('forwards the bearer token and the request ids', async () => {
    const token = await issuer.token(tina);
    await ask(supergraph.gatewayUrl, '{ appointment(id: "appt-a-1") { teamsMeeting { id } } }', token, {
      'client-request-id': '11111111-1111-4111-8111-111111111111',
      'x-request-id': 'request-7',
    });
    expect(teams.requests.map(({ headers }) => headers)).toEqual([
      expect.objectContaining({
        authorization: `Bearer ${token}`,
        'client-request-id': '11111111-1111-4111-8111-111111111111',
        'x-request-id': 'request-7',
      }),
    ]);
  });

  it('shows a tenant nothing of another one', async () => {
    const result = await query(
      uma,
      `{ appointments { id client { id } } interactions { id }
         foreign: appointment(id: "appt-a-1") { id } foreignInteraction: interaction(id: "int-a-1") { id } me { id } }`,
    );
    expect(result.errors).toBeUndefined();
    const own = { client: { id: 'client-umbrella' } };
    expect(result.data).toEqual({
      appointments: expect.arrayContaining([1, 2, 3].map((n) => ({ id: `appt-b-${n}`, ...own }))),
      interactions: [{ id: 'int-b-1' }],
      foreign: null,
      foreignInteraction: null,
      me: { id: 'user-uma' },
    });
    expect(await query({ ...uma, tenant_id: 'tenant-z' }, '{ appointments { id } me { id } }')).toEqual({
      data: { appointments: [], me: null },
    });
  });

  it('does not resolve an entity of another tenant that a meeting points to', async () => {
    const result = await query(uma, '{ teamsMeeting(id: "meeting-1") { id client { name } appointment { title } } }');
    expect(JSON.stringify(result)).not.toContain('Acme');
    expect(JSON.stringify(result)).not.toContain('Quarterly');
  });

  it('shows a client its own appointments and interactions only', async () => {
    const result = await query(
      jane,
      '{ appointments { id } interactions { id } foreign: appointment(id: "appt-a-3") { id } }',
    );
    expect(result).toEqual({
      data: {
        appointments: [{ id: 'appt-a-1' }, { id: 'appt-a-2' }, { id: 'appt-a-5' }],
        interactions: [{ id: 'int-a-1' }, { id: 'int-a-2' }],
        foreign: null,
      },
    });
  });

  it('takes the first so many, and refuses a negative number', async () => {
    expect(await query(tina, '{ interactions(first: 1) { id } }')).toEqual({
      data: { interactions: [{ id: 'int-a-1' }] },
    });
    const refused = await query(tina, '{ interactions(first: -1) { id } }');
    expect(refused.errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT');
  });

  it.each([
    ['no token', async () => undefined],
    ['a token that is none', async () => 'garbage'],
    ['an expired token', () => issuer.token(tina, { expiresAt: Math.floor(Date.now() / 1000) - 60 })],
    ['a token for somebody else', () => issuer.token(tina, { audience: 'other' })],
    ['a token without a tenant', () => issuer.token({ sub: 'x', kind: 'msp' })],
    ['a client token without a client', () => issuer.token({ ...jane, client_id: undefined })],
  ])('answers UNAUTHENTICATED to %s', async (_, token) => {
    const result = await ask(supergraph.gatewayUrl, '{ appointments { id } }', await token());
    expect(result.errors?.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
    expect(result.data?.appointments ?? null).toBeNull();
  });

  it('refuses a token that another key signed', async () => {
    const stranger = await createTokenIssuer();
    const result = await ask(supergraph.gatewayUrl, '{ appointments { id } }', await stranger.token(tina));
    stranger.close();
    expect(result.errors?.map(({ extensions }) => extensions?.code)).toEqual(['UNAUTHENTICATED']);
  });

  it('gives the SDL of the PSA core without a token', async () => {
    const result = await ask(supergraph.psaCoreUrl, '{ _service { sdl } }');
    expect(result.data).toEqual({ _service: { sdl: expect.stringContaining('type Appointment') } });
  });

  it('passes the codes and messages of subgraph errors on, at a root field and inside an entity', async () => {
    const root = await query(tina, '{ teamsSettings { installStatus } }');
    expect(root).toMatchObject({
      data: { teamsSettings: null },
      errors: [{ message: 'Not for you.', path: ['teamsSettings'], extensions: { code: 'FORBIDDEN' } }],
    });
    const nested = await query(tina, '{ appointment(id: "appt-a-1") { title transcripts { id } } }');
    expect(nested).toMatchObject({
      data: { appointment: { title: 'Quarterly review', transcripts: null } },
      errors: [{ message: 'Not for you.', path: ['appointment', 'transcripts'], extensions: { code: 'FORBIDDEN' } }],
    });
  });

  it('refuses what the supergraph does not have', async () => {
    const result = await query(tina, '{ nothing }');
    expect(result.errors?.[0]?.extensions?.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('is healthy', async () => {
    expect((await fetch(new URL('/healthcheck', supergraph.gatewayUrl))).status).toBe(200);
  });
});
