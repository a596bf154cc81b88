import { readFileSync } from 'node:fs';
import { Kind, type ObjectTypeDefinitionNode, type ObjectTypeExtensionNode, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

// Written by hand from the contract: the product's own map is what is tested.
const RULES: Record<string, { permission: string; operation: string }> = {
  'Query.teamsMeetingCapability': {
    permission: 'teams_meeting:read',
    operation: '{ teamsMeetingCapability { available reason } }',
  },
  'Query.teamsMeeting': { permission: 'teams_meeting:read', operation: '{ teamsMeeting(id: "nobody") { id } }' },
  'Query.teamsMeetings': { permission: 'teams_meeting:read', operation: '{ teamsMeetings(first: 1) { totalCount } }' },
  'Query.searchTranscripts': {
    permission: 'teams_artifact:read',
    operation: '{ searchTranscripts(query: "word") { pageInfo { hasNextPage } } }',
  },
  'Query.teamsSettings': { permission: 'teams_settings:read', operation: '{ teamsSettings { installStatus } }' },
  'Query.teamsDiagnostics': { permission: 'teams_settings:read', operation: '{ teamsDiagnostics { overall } }' },
  'Query.teamsSetupGuide': { permission: 'teams_settings:read', operation: '{ teamsSetupGuide { steps { number } } }' },
  'Mutation.connectMicrosoftApp': {
    permission: 'teams_settings:update',
    operation: 'mutation { connectMicrosoftApp(input: { clientId: "x", directoryId: "y" }) { userErrors { code } } }',
  },
  'Mutation.updateTeamsSettings': {
    permission: 'teams_settings:update',
    operation: 'mutation { updateTeamsSettings(input: { installStatus: ERROR }) { userErrors { code } } }',
  },
  'Mutation.verifyTeamsOrganizer': {
    permission: 'teams_settings:update',
    operation: 'mutation { verifyTeamsOrganizer { userErrors { code } } }',
  },
  'Mutation.runTeamsDiagnostics': {
    permission: 'teams_settings:update',
    operation: 'mutation { runTeamsDiagnostics { userErrors { code } } }',
  },
  'Mutation.createTeamsMeeting': {
    permission: 'teams_meeting:write',
    operation:
      'mutation { createTeamsMeeting(input: { appointmentId: "x", subject: "s", startsAt: "2026-12-01T10:00:00Z", endsAt: "2026-12-01T11:00:00Z" }) { userErrors { code } } }',
  },
  'Mutation.rescheduleTeamsMeeting': {
    permission: 'teams_meeting:write',
    operation:
      'mutation { rescheduleTeamsMeeting(input: { meetingId: "x", startsAt: "2026-12-01T10:00:00Z", endsAt: "2026-12-01T11:00:00Z" }) { userErrors { code } } }',
  },
  'Mutation.updateTeamsMeetingAttendees': {
    permission: 'teams_meeting:write',
    operation:
      'mutation { updateTeamsMeetingAttendees(input: { meetingId: "x", attendees: [] }) { userErrors { code } } }',
  },
  'Mutation.cancelTeamsMeeting': {
    permission: 'teams_meeting:write',
    operation: 'mutation { cancelTeamsMeeting(input: { meetingId: "x" }) { userErrors { code } } }',
  },
  'Mutation.retryTeamsMeeting': {
    permission: 'teams_meeting:write',
    operation: 'mutation { retryTeamsMeeting(input: { meetingId: "x" }) { userErrors { code } } }',
  },
  'Mutation.refreshTeamsMeetingArtifacts': {
    permission: 'teams_artifact:refresh',
    operation: 'mutation { refreshTeamsMeetingArtifacts(input: { meetingId: "x" }) { userErrors { code } } }',
  },
  'Appointment.teamsMeeting': {
    permission: 'teams_meeting:read',
    operation: entity('Appointment', 'teamsMeeting { id }'),
  },
  'Appointment.recordings': {
    permission: 'teams_artifact:read',
    operation: entity('Appointment', 'recordings { id }'),
  },
  'Appointment.transcripts': {
    permission: 'teams_artifact:read',
    operation: entity('Appointment', 'transcripts { id }'),
  },
  'Interaction.teamsMeeting': {
    permission: 'teams_meeting:read',
    operation: entity('Interaction', 'teamsMeeting { id }'),
  },
  'Interaction.recordings': {
    permission: 'teams_artifact:read',
    operation: entity('Interaction', 'recordings { id }'),
  },
  'Interaction.transcripts': {
    permission: 'teams_artifact:read',
    operation: entity('Interaction', 'transcripts { id }'),
  },
  'Interaction.suggestedAttendees': {
    permission: 'teams_meeting:read',
    operation: entity('Interaction', 'suggestedAttendees { emailAddress }'),
  },
};

/** Entities of our own: the whole entity is behind the permission. */
const OWN_ENTITIES = {
  TeamsMeeting: { permission: 'teams_meeting:read', fields: 'subject' },
  MeetingRecording: { permission: 'teams_artifact:read', fields: 'contentUrl' },
  MeetingTranscript: { permission: 'teams_artifact:read', fields: 'vttUrl' },
};

const PERMISSIONS = [
  'teams_settings:read',
  'teams_settings:update',
  'teams_meeting:read',
  'teams_meeting:write',
  'teams_artifact:read',
  'teams_artifact:refresh',
];

const ROLES = {
  admin: PERMISSIONS,
  technician: ['teams_meeting:read', 'teams_meeting:write', 'teams_artifact:read', 'teams_artifact:refresh'],
  client: ['teams_meeting:read', 'teams_artifact:read'],
  service: ['teams_meeting:read', 'teams_meeting:write'],
} as const;

function entity(type: string, fields: string): string {
  return `{ _entities(representations: [{ __typename: "${type}", id: "entity-1" }]) { ... on ${type} { id ${fields} } } }`;
}

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph();
});
afterAll(() => subgraph.close());

/** The codes of an answer, of which FORBIDDEN must be the only one. */
async function codesOf(token: string, operation: string): Promise<string[]> {
  const { status, errors } = await subgraph.send(token, operation);
  expect(status).toBe(200);
  return errors.map((error) => error.extensions.code);
}

const withPermissions = (permissions: readonly string[]) =>
  subgraph.tokens.sign({ sub: 'user-x', tenant_id: 'tenant-empty', kind: 'msp', permissions: [...permissions] });

const fields = Object.entries(RULES).map(([field, rule]) => ({ field, ...rule }));

describe.each(fields)('$field', ({ field, permission, operation }) => {
  it.each(PERMISSIONS)('with %s alone', async (held) => {
    expect(await codesOf(await withPermissions([held]), operation)).toEqual(held === permission ? [] : ['FORBIDDEN']);
  });

  it('is forbidden to a viewer with every permission but its own', async () => {
    expect(await codesOf(await withPermissions(PERMISSIONS.filter((held) => held !== permission)), operation)).toEqual([
      'FORBIDDEN',
    ]);
  });

  it.each([[[]], [['teams_meeting']], [['*', 'teams:*', permission.toUpperCase(), `${permission} `]]])(
    'is forbidden with the permissions %j',
    async (held) => {
      expect(await codesOf(await withPermissions(held), operation)).toEqual(['FORBIDDEN']);
    },
  );

  it.each(Object.entries(ROLES))('for the role %s', async (role, held) => {
    const token = await subgraph.tokens.token(role as keyof typeof ROLES, { tenant_id: 'tenant-empty' });
    expect(await codesOf(token, operation)).toEqual(
      (held as readonly string[]).includes(permission) ? [] : ['FORBIDDEN'],
    );
  });

  it('leaves the entity itself alone when the field is forbidden', async () => {
    const { data } = await subgraph.send<{ _entities?: { id: string }[] }>(await withPermissions([]), operation);
    if (/^(Appointment|Interaction)\./.test(field)) expect(data?._entities?.[0]?.id).toBe('entity-1');
    else expect(Object.values(data ?? { none: null })).toEqual([null]);
  });
});

describe.each(Object.entries(OWN_ENTITIES))('the entity %s', (type, { permission, fields: selection }) => {
  it.each(PERMISSIONS)('with %s alone', async (held) => {
    const { data, errors } = await subgraph.send<{ _entities: unknown[] }>(
      await withPermissions([held]),
      entity(type, selection),
    );
    expect(data?._entities).toEqual([null]);
    expect(errors.map((error) => error.extensions.code)).toEqual(held === permission ? [] : ['FORBIDDEN']);
  });
});

describe('the table above', () => {
  const document = parse(readFileSync('schema.graphql', 'utf8'));
  const types = document.definitions.filter(
    (node): node is ObjectTypeDefinitionNode | ObjectTypeExtensionNode =>
      node.kind === Kind.OBJECT_TYPE_DEFINITION || node.kind === Kind.OBJECT_TYPE_EXTENSION,
  );
  const has = (node: { directives?: readonly { name: { value: string } }[] }, name: string) =>
    node.directives?.some((directive) => directive.name.value === name) ?? false;

  it('covers every root field and every field added to an entity of the PSA', () => {
    const guarded = types
      .filter((type) => ['Query', 'Mutation', 'Subscription', 'Appointment', 'Interaction'].includes(type.name.value))
      .flatMap((type) =>
        (type.fields ?? [])
          .filter((field) => field.name.value !== 'id' && !has(field, 'external'))
          .map((field) => `${type.name.value}.${field.name.value}`),
      );
    expect(guarded.sort()).toEqual(Object.keys(RULES).sort());
  });

  it('covers every entity of our own', () => {
    const ownedByPsa = ['Appointment', 'Interaction', 'Contact', 'Client', 'User'];
    const entities = types.filter((type) => has(type, 'key')).map((type) => type.name.value);
    expect(entities.filter((name) => !ownedByPsa.includes(name)).sort()).toEqual(Object.keys(OWN_ENTITIES).sort());
  });
});
