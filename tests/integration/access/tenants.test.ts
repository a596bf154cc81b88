import { v7 as uuidv7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Viewer } from '../../../src/services/viewer.ts';
import { activate, CONNECT, CREATE, MICROSOFT, meetingInput, mutate, UPDATE_SETTINGS } from '../../support/setup.ts';
import { reachable, startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { type StoredMeeting, storeMeeting, vttOf } from './rows.ts';

/** One meeting with everything on it, and the ids by which it could be asked for. */
interface Target extends StoredMeeting {
  appointmentId: string;
  interactionId: string;
}

const MEETING =
  'id subject joinUrl attendees { emailAddress } recordings { id contentUrl } transcripts { id text vttUrl } invitation { ics icsUrl } artifactCapture { state } failure { code }';
const ADDED = `id teamsMeeting { ${MEETING} } recordings { id contentUrl } transcripts { id text }`;
const entity = (type: string, fields: string) =>
  `query ($id: ID!) { _entities(representations: [{ __typename: "${type}", id: $id }]) { ... on ${type} { ${fields} } } }`;

/** Every way to ask for something by its id: a root field, an entity, or a mutation. */
const QUESTIONS: { name: string; operation: string; id: (target: Target) => string }[] = [
  {
    name: 'Query.teamsMeeting',
    operation: `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`,
    id: (t) => t.id,
  },
  {
    name: 'Query.teamsMeeting in upper case',
    operation: `query ($id: ID!) { teamsMeeting(id: $id) { ${MEETING} } }`,
    id: (t) => t.id.toUpperCase(),
  },
  { name: 'entity TeamsMeeting', operation: entity('TeamsMeeting', MEETING), id: (t) => t.id },
  {
    name: 'entity MeetingRecording',
    operation: entity('MeetingRecording', 'id contentUrl meeting { subject }'),
    id: (t) => t.recordingIds[0] ?? '',
  },
  {
    name: 'entity MeetingTranscript',
    operation: entity('MeetingTranscript', 'id text vttUrl cues { totalCount } meeting { subject }'),
    id: (t) => t.transcriptIds[0] ?? '',
  },
  { name: 'entity Appointment', operation: entity('Appointment', ADDED), id: (t) => t.appointmentId },
  {
    name: 'entity Interaction',
    operation: entity('Interaction', `${ADDED} suggestedAttendees { emailAddress }`),
    id: (t) => t.interactionId,
  },
  {
    name: 'Mutation.refreshTeamsMeetingArtifacts',
    operation:
      'mutation ($id: ID!) { refreshTeamsMeetingArtifacts(input: { meetingId: $id }) { meeting { id } newRecordings newTranscripts userErrors { code message path remedy } } }',
    id: (t) => t.id,
  },
];

let subgraph: TestSubgraph;
let acme: Target;
let acmeOfB: Target;
let nobodys: Target;

async function target(tenantId: string, clientId: string | null, word: string): Promise<Target> {
  const [appointmentId, interactionId] = [`appt-${word}`, `int-${word}`];
  const shared = {
    clientId,
    recordings: 1,
    transcripts: [vttOf([`the secret word is ${word}`])],
    attendees: [{ emailAddress: `${word}@acme.example` }],
  };
  const stored = await storeMeeting(subgraph, tenantId, { ...shared, appointmentId });
  await storeMeeting(subgraph, tenantId, { ...shared, interactionId });
  return { ...stored, appointmentId, interactionId };
}

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  await activate(subgraph, 'tenant-a', { showArtifactsInClientPortal: true });
  await activate(subgraph, 'tenant-b', { showArtifactsInClientPortal: true });
  acme = await target('tenant-a', 'client-acme', 'aardvark');
  await target('tenant-a', 'client-initech', 'iguana');
  nobodys = await target('tenant-a', null, 'nightingale');
  acmeOfB = await target('tenant-b', 'client-acme', 'bumblebee');
});
afterAll(() => subgraph.close());

/** The answer with the asked id taken out, so that answers for two ids can be compared. */
async function answer(token: string, operation: string, id: string): Promise<unknown> {
  const { status, data, errors } = await subgraph.send(token, operation, { id });
  return JSON.parse(JSON.stringify({ status, data, errors }).replaceAll(id, '<id>'));
}

const technician = (tenant: string) => subgraph.tokens.token('technician', { tenant_id: tenant });
const admin = (tenant: string) => subgraph.tokens.token('admin', { tenant_id: tenant });
const client = (clientId: string, tenant = 'tenant-a') =>
  subgraph.tokens.token('client', {
    tenant_id: tenant,
    client_id: clientId,
    permissions: ['teams_meeting:read', 'teams_artifact:read', 'teams_artifact:refresh'],
  });

describe.each(QUESTIONS)('$name', ({ operation, id }) => {
  it('is answered to the one whose meeting it is', async () => {
    expect(await answer(await technician('tenant-a'), operation, id(acme))).not.toEqual(
      await answer(await technician('tenant-a'), operation, uuidv7()),
    );
  });

  it.each([
    ['an admin of another tenant', () => admin('tenant-b'), () => acme],
    ['a technician of another tenant', () => technician('tenant-b'), () => acme],
    [
      'the service of another tenant',
      () =>
        subgraph.tokens.token('service', {
          tenant_id: 'tenant-b',
          permissions: ['teams_meeting:read', 'teams_artifact:read', 'teams_artifact:refresh'],
        }),
      () => acme,
    ],
    ['a technician of a tenant without set-up', () => technician('tenant-c'), () => acme],
    ['the client of the same name of another tenant', () => client('client-acme', 'tenant-b'), () => acme],
    ['another client of the same tenant', () => client('client-initech'), () => acme],
    ['a client, for a meeting without a client', () => client('client-acme'), () => nobodys],
    ['a client whose id differs in case', () => client('CLIENT-ACME'), () => acme],
    ['a client whose id is a pattern', () => client('client-%'), () => acme],
  ] as const)('tells %s what it tells of an unknown id', async (_who, token, of) => {
    const asked = await answer(await token(), operation, id(of()));
    expect(asked).toEqual(await answer(await token(), operation, uuidv7()));
    expect(JSON.stringify(asked)).not.toMatch(/aardvark|nightingale/);
  });
});

describe('lists and searches of another', () => {
  const LIST =
    'query ($filter: TeamsMeetingFilter, $after: String) { teamsMeetings(filter: $filter, after: $after) { totalCount edges { cursor node { id } } } }';
  const SEARCH =
    'query ($query: String!, $after: String) { searchTranscripts(query: $query, after: $after) { edges { cursor node { excerpt } } } }';
  interface List {
    teamsMeetings: { totalCount: number; edges: { cursor: string; node: { id: string } }[] };
  }
  interface Search {
    searchTranscripts: { edges: { cursor: string; node: { excerpt: string } }[] };
  }
  const list = async (token: string, filter: object = {}, after: string | null = null) => {
    const { data, errors } = await subgraph.send<List>(token, LIST, { filter, after });
    expect(errors).toEqual([]);
    return data?.teamsMeetings ?? { totalCount: -1, edges: [] };
  };
  const search = async (token: string, query: string, after: string | null = null) => {
    const { data, errors } = await subgraph.send<Search>(token, SEARCH, { query, after });
    expect(errors).toEqual([]);
    return data?.searchTranscripts.edges ?? [];
  };

  it.each([
    ['technician of A', () => technician('tenant-a'), 6],
    ['technician of B', () => technician('tenant-b'), 2],
    ['client-acme of A', () => client('client-acme'), 2],
    ['client-initech of A', () => client('client-initech'), 2],
    ['client-acme of B', () => client('client-acme', 'tenant-b'), 2],
    ['a client without meetings', () => client('client-none'), 0],
  ] as const)('the %s counts and sees only what is theirs', async (_who, token, count) => {
    const { totalCount, edges } = await list(await token());
    expect([totalCount, edges.length]).toEqual([count, count]);
  });

  it.each([
    ['its client', { clientId: 'client-acme' }],
    ['its recordings', { clientId: 'client-acme', hasRecordings: true }],
    ['its lack of recordings', { clientId: 'client-acme', hasRecordings: false }],
    ['its state', { clientId: 'client-acme', status: ['SCHEDULED', 'ENDED'] }],
  ])('another client learns nothing of a meeting by filtering on %s', async (_what, filter) => {
    expect(await list(await client('client-initech'), filter)).toEqual({ totalCount: 0, edges: [] });
  });

  it('a cursor of another tenant opens no way into its list', async () => {
    const foreign = (await list(await technician('tenant-a'))).edges[0]?.cursor ?? '';
    const { edges } = await list(await technician('tenant-b'), {}, foreign);
    const own = (await list(await technician('tenant-b'))).edges.map(({ node }) => node.id);
    expect(own).toEqual(expect.arrayContaining(edges.map(({ node }) => node.id)));
  });

  it.each([
    ['of another tenant', 'bumblebee', () => technician('tenant-a')],
    ['of another tenant', 'aardvark', () => technician('tenant-b')],
    ['of another client', 'iguana', () => client('client-acme')],
    ['of no client', 'nightingale', () => client('client-acme')],
  ] as const)('a word said in a meeting %s is not found (%s)', async (_where, word, token) => {
    expect(await search(await token(), word)).toEqual([]);
  });

  it('a common word is found in one’s own meetings only', async () => {
    const excerpts = (await search(await client('client-acme'), 'secret')).map(({ node }) => node.excerpt);
    expect(new Set(excerpts)).toEqual(new Set(['the **secret** word is aardvark']));
  });

  it('a search cursor of another tenant finds nothing of it', async () => {
    const foreign = (await search(await technician('tenant-b'), 'bumblebee'))[0]?.cursor ?? '';
    expect(await search(await technician('tenant-a'), 'bumblebee', foreign)).toEqual([]);
  });
});

describe('signed links', () => {
  const links = () =>
    [
      ['recording', acme.recordingIds[0] ?? ''],
      ['transcript', acme.transcriptIds[0] ?? ''],
      ['invitation', acme.id],
    ] as const;
  const base = { id: 'user-x', permissions: new Set(['teams_artifact:read', 'teams_meeting:read'] as const) };
  const OTHERS: [string, Viewer][] = [
    ['another tenant', { ...base, tenantId: 'tenant-b', kind: 'msp' }],
    [
      'the client of the same name in another tenant',
      { ...base, tenantId: 'tenant-b', kind: 'client', clientId: 'client-acme', contactId: undefined },
    ],
    [
      'another client',
      { ...base, tenantId: 'tenant-a', kind: 'client', clientId: 'client-initech', contactId: undefined },
    ],
  ];
  it.each(OTHERS)('made by %s open nothing, as for an unknown id', async (_who, viewer) => {
    for (const [purpose, id] of links()) {
      for (const resource of [id, uuidv7()]) {
        const response = await fetch(reachable(subgraph, subgraph.services.links.sign(viewer, purpose, resource).url));
        expect([purpose, response.status, await response.text()]).toEqual([purpose, 403, '']);
      }
    }
  });
});

describe('settings and meetings of two tenants', () => {
  interface Settings {
    teamsSettings: {
      installStatus: string;
      microsoftApp: { clientId: string } | null;
      organizer: { userPrincipalName: string } | null;
    } | null;
  }
  const SETTINGS =
    '{ teamsSettings { installStatus microsoftApp { clientId directoryId credentialHint } organizer { userPrincipalName } } teamsSetupGuide { steps { script } } teamsMeetingCapability { reason } }';

  it('each admin sees the own app and organizer, and a third tenant none', async () => {
    const a = JSON.stringify(await subgraph.send(await admin('tenant-a'), SETTINGS));
    const b = JSON.stringify(await subgraph.send(await admin('tenant-b'), SETTINGS));
    const c = await subgraph.send<Settings>(await admin('tenant-c'), SETTINGS);
    expect(a).toContain(MICROSOFT['tenant-a'].clientId);
    expect(a).not.toMatch(/globex|bbbbbbbb/);
    expect(b).toContain(MICROSOFT['tenant-b'].organizer);
    expect(b).not.toMatch(/acme\.example|aaaaaaaa/);
    expect(c.data).toMatchObject({ teamsSettings: null, teamsMeetingCapability: { reason: 'NOT_CONFIGURED' } });
  });

  it('changing one tenant’s settings leaves the other’s as they were', async () => {
    const before = await subgraph.send(await admin('tenant-a'), SETTINGS);
    const { clientId, directoryId, secret } = MICROSOFT['tenant-b'];
    await mutate(subgraph, await admin('tenant-b'), CONNECT, { clientId, directoryId, clientSecret: secret });
    await mutate(subgraph, await admin('tenant-b'), UPDATE_SETTINGS, {
      sendMeetingInvites: false,
      installStatus: 'INSTALL_PENDING',
    });
    expect(await subgraph.send(await admin('tenant-a'), SETTINGS)).toEqual(before);
    await mutate(subgraph, await admin('tenant-b'), UPDATE_SETTINGS, { installStatus: 'ACTIVE' });
  });

  it('the same appointment id and idempotency key in two tenants are two meetings, each with its own organizer', async () => {
    const input = meetingInput({ appointmentId: 'appt-same', idempotencyKey: 'key-same' });
    const made = await Promise.all(
      (['tenant-a', 'tenant-b'] as const).map(async (tenant) =>
        mutate<{ meeting: { id: string; joinUrl: string } | null; userErrors: unknown[] }>(
          subgraph,
          await technician(tenant),
          CREATE,
          input,
        ),
      ),
    );
    expect(made.map(({ userErrors }) => userErrors)).toEqual([[], []]);
    expect(made[0]?.meeting?.id).not.toBe(made[1]?.meeting?.id);
    const { directoryId, organizer } = MICROSOFT['tenant-b'];
    const events = await subgraph.simulator.listEvents(directoryId, organizer);
    expect(events.map((event) => event.joinUrl)).toEqual([made[1]?.meeting?.joinUrl]);
    expect(acmeOfB.id).not.toBe(acme.id);
  });
});
