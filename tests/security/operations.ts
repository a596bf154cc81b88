import {
  buildClientSchema,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  type IntrospectionQuery,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
} from 'graphql';
import type { Target } from './stage.ts';

/** Something that can be asked for: a root field, or an entity by its key. */
export interface Asked {
  /** `Query.teamsMeeting`, or `entity TeamsMeeting`. */
  name: string;
  operation: string;
  /** How deep below the field the operation looks. */
  isMutation: boolean;
}

/** Fields that say nothing of anybody's data; the gateway reads the schema without a token. */
const OPEN = new Set(['Query._service', 'Query._entities']);

const DEPTH = 2;

/** Every field that needs no argument, with the fields below it. */
function selectionOf(type: GraphQLOutputType, depth = DEPTH): string {
  const named = getNamedType(type);
  if (!isObjectType(named)) return '';
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    if (isLeafType(getNamedType(field.type))) return [field.name];
    return depth === 0 ? [] : [`${field.name} ${selectionOf(field.type, depth - 1)}`];
  });
  return fields.length === 0 ? '{ __typename }' : `{ ${fields.join(' ')} }`;
}

function operationOf(kind: 'query' | 'mutation', field: GraphQLField<unknown, unknown>): string {
  const variables = field.args.map(({ name, type }) => `$${name}: ${type}`).join(', ');
  const given = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
  const wrap = (text: string) => (text === '' ? '' : `(${text})`);
  return `${kind} ${wrap(variables)} { ${field.name}${wrap(given)} ${selectionOf(field.type)} }`;
}

function rootFields(kind: 'query' | 'mutation', type: GraphQLObjectType | null | undefined): Asked[] {
  return Object.values(type?.getFields() ?? {})
    .map((field) => ({
      name: `${type?.name}.${field.name}`,
      operation: operationOf(kind, field),
      isMutation: kind === 'mutation',
    }))
    .filter(({ name }) => !OPEN.has(name));
}

/** All that the schema lets anybody ask for, as the running server tells it. */
export function askedOf(schema: GraphQLSchema): Asked[] {
  const entities = schema.getType('_Entity');
  return [
    ...rootFields('query', schema.getQueryType()),
    ...(isUnionType(entities) ? entities.getTypes() : []).map((type) => ({
      name: `entity ${type.name}`,
      operation: `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on ${type.name} ${selectionOf(type)} } }`,
      isMutation: false,
    })),
    ...rootFields('mutation', schema.getMutationType()),
  ];
}

/** Asks a running server for its schema. */
export async function schemaOf(url: string): Promise<GraphQLSchema> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: getIntrospectionQuery() }),
  });
  return buildClientSchema(((await response.json()) as { data: IntrospectionQuery }).data);
}

interface Entry {
  /** What opens it; null for entities of the PSA that have nothing of ours but their key. */
  permission: string | null;
  /** What has to be sent so that it does something to the target. */
  variables(target: Target): Record<string, unknown>;
}

const TIMES = { startsAt: '2036-12-03T10:00:00Z', endsAt: '2036-12-03T11:00:00Z' };
const reference = (__typename: string, id: string) => ({ representations: [{ __typename, id }] });

/** One entry for everything that can be asked for: what is added to the schema and not here fails a test. */
export const ENTRIES: Record<string, Entry> = {
  'Query.teamsMeetingCapability': { permission: 'teams_meeting:read', variables: () => ({}) },
  'Query.teamsMeeting': { permission: 'teams_meeting:read', variables: ({ meetingId }) => ({ id: meetingId }) },
  'Query.teamsMeetings': { permission: 'teams_meeting:read', variables: () => ({ filter: {}, first: 5 }) },
  'Query.searchTranscripts': {
    permission: 'teams_artifact:read',
    variables: ({ word }) => ({ query: word, first: 5 }),
  },
  'Query.teamsSettings': { permission: 'teams_settings:read', variables: () => ({}) },
  'Query.teamsDiagnostics': { permission: 'teams_settings:read', variables: () => ({}) },
  'Query.teamsSetupGuide': { permission: 'teams_settings:read', variables: () => ({}) },
  'entity TeamsMeeting': {
    permission: 'teams_meeting:read',
    variables: ({ meetingId }) => reference('TeamsMeeting', meetingId),
  },
  'entity MeetingRecording': {
    permission: 'teams_artifact:read',
    variables: ({ recordingId }) => reference('MeetingRecording', recordingId),
  },
  'entity MeetingTranscript': {
    permission: 'teams_artifact:read',
    variables: ({ transcriptId }) => reference('MeetingTranscript', transcriptId),
  },
  'entity Appointment': {
    permission: 'teams_meeting:read',
    variables: ({ appointmentId }) => reference('Appointment', appointmentId),
  },
  'entity Interaction': {
    permission: 'teams_meeting:read',
    variables: ({ interactionId }) => reference('Interaction', interactionId),
  },
  'entity Client': { permission: null, variables: () => reference('Client', 'client-acme') },
  'entity Contact': { permission: null, variables: () => reference('Contact', 'contact-jane') },
  'entity User': { permission: null, variables: () => reference('User', 'user-1') },
  'Mutation.runTeamsDiagnostics': { permission: 'teams_settings:update', variables: () => ({}) },
  'Mutation.verifyTeamsOrganizer': { permission: 'teams_settings:update', variables: () => ({}) },
  'Mutation.updateTeamsSettings': {
    permission: 'teams_settings:update',
    variables: () => ({ input: { artifactRetentionDays: 7, sendMeetingInvites: false } }),
  },
  'Mutation.connectMicrosoftApp': {
    permission: 'teams_settings:update',
    variables: () => ({
      input: {
        clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
        directoryId: '11111111-1111-4111-8111-111111111111',
        clientSecret: 'simulator-secret-tenant-a',
      },
    }),
  },
  'Mutation.createTeamsMeeting': {
    permission: 'teams_meeting:write',
    variables: ({ word }) => ({
      input: { ...TIMES, appointmentId: `another-${word}`, subject: 'Mine', attendees: [] },
    }),
  },
  'Mutation.rescheduleTeamsMeeting': {
    permission: 'teams_meeting:write',
    variables: ({ meetingId }) => ({ input: { ...TIMES, meetingId } }),
  },
  'Mutation.updateTeamsMeetingAttendees': {
    permission: 'teams_meeting:write',
    variables: ({ meetingId }) => ({ input: { meetingId, attendees: [{ emailAddress: 'mallory@evil.example' }] } }),
  },
  'Mutation.retryTeamsMeeting': {
    permission: 'teams_meeting:write',
    variables: ({ meetingId }) => ({ input: { meetingId } }),
  },
  'Mutation.refreshTeamsMeetingArtifacts': {
    permission: 'teams_artifact:refresh',
    variables: ({ meetingId }) => ({ input: { meetingId } }),
  },
  'Mutation.cancelTeamsMeeting': {
    permission: 'teams_meeting:write',
    variables: ({ meetingId }) => ({ input: { meetingId, comment: 'Nobody comes' } }),
  },
};

/** The entry of something that can be asked for. @throws when there is none */
export function entryOf({ name }: Pick<Asked, 'name'>): Entry {
  const entry = ENTRIES[name];
  if (entry === undefined) throw new Error(`${name} has no entry: nothing tries to get at it`);
  return entry;
}
