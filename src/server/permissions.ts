import { defaultFieldResolver, type GraphQLObjectType, type GraphQLSchema, isObjectType, isUnionType } from 'graphql';
import type {
  AppointmentResolvers,
  InteractionResolvers,
  MutationResolvers,
  QueryResolvers,
} from '../generated/graphql.ts';
import type { GraphQLContext } from '../resolvers/context.ts';
import { may, type Permission } from '../services/viewer.ts';
import { forbidden } from './errors.ts';
import { guardRepresentations } from './representations.ts';

/** The fields that this subgraph adds to an entity of another one. */
type Added<R> = Exclude<keyof R, '__resolveReference' | '__isTypeOf' | 'id' | 'contact' | 'client'> & string;

type PermissionMap = {
  Query: Record<keyof QueryResolvers, Permission>;
  Mutation: Record<keyof MutationResolvers, Permission>;
  Appointment: Record<Added<AppointmentResolvers>, Permission>;
  Interaction: Record<Added<InteractionResolvers>, Permission>;
};

/** Which permission opens which field. A field that is missing here does not compile, and does not start. */
const PERMISSION_MAP: PermissionMap = {
  Query: {
    teamsMeetingCapability: 'teams_meeting:read',
    teamsMeeting: 'teams_meeting:read',
    teamsMeetings: 'teams_meeting:read',
    searchTranscripts: 'teams_artifact:read',
    teamsSettings: 'teams_settings:read',
    teamsDiagnostics: 'teams_settings:read',
    teamsSetupGuide: 'teams_settings:read',
  },
  Mutation: {
    connectMicrosoftApp: 'teams_settings:update',
    updateTeamsSettings: 'teams_settings:update',
    verifyTeamsOrganizer: 'teams_settings:update',
    runTeamsDiagnostics: 'teams_settings:update',
    createTeamsMeeting: 'teams_meeting:write',
    rescheduleTeamsMeeting: 'teams_meeting:write',
    updateTeamsMeetingAttendees: 'teams_meeting:write',
    cancelTeamsMeeting: 'teams_meeting:write',
    retryTeamsMeeting: 'teams_meeting:write',
    refreshTeamsMeetingArtifacts: 'teams_artifact:refresh',
  },
  Appointment: {
    teamsMeeting: 'teams_meeting:read',
    recordings: 'teams_artifact:read',
    transcripts: 'teams_artifact:read',
  },
  Interaction: {
    teamsMeeting: 'teams_meeting:read',
    recordings: 'teams_artifact:read',
    transcripts: 'teams_artifact:read',
    suggestedAttendees: 'teams_meeting:read',
  },
};

/** What an entity of our own needs when the gateway asks for it by its key. */
const ENTITY_PERMISSIONS: Record<string, Permission> = {
  TeamsMeeting: 'teams_meeting:read',
  MeetingRecording: 'teams_artifact:read',
  MeetingTranscript: 'teams_artifact:read',
};

/** Entities of other subgraphs: their reference is given back as it came, and each added field has its own rule. */
const FOREIGN_ENTITIES = new Set(['Appointment', 'Interaction', 'Contact', 'Client', 'User']);

/** Fields that say nothing of anybody's data: the gateway reads the schema without a token. */
const OPEN = new Set([
  'Query._service',
  'Query._entities',
  'Appointment.id',
  'Interaction.id',
  'Interaction.contact',
  'Interaction.client',
]);

/** @throws GraphQLError with UNAUTHENTICATED or FORBIDDEN */
function authorize(context: GraphQLContext, permission: Permission): void {
  if (context.viewer === null) throw context.refusal();
  if (!may(context.viewer, permission)) throw forbidden(permission);
}

function guardType(type: GraphQLObjectType, rules: Record<string, Permission>): void {
  for (const [name, field] of Object.entries(type.getFields())) {
    const key = `${type.name}.${name}`;
    if (OPEN.has(key)) continue;
    const permission = rules[name];
    if (permission === undefined) throw new Error(`${key} has no permission rule: add it to PERMISSION_MAP`);
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = (parent, args, context: GraphQLContext, info) => {
      authorize(context, permission);
      return resolve(parent, args, context, info);
    };
  }
}

/**
 * Puts every root field and every field added to a foreign entity behind its permission, and `_entities` behind a look
 * at what it is given, in place.
 *
 * @throws when one of them has no rule: what is not allowed is denied, at start and not at the first attack
 */
export function enforcePermissions(schema: GraphQLSchema): GraphQLSchema {
  for (const [name, rules] of Object.entries(PERMISSION_MAP)) {
    const type = schema.getType(name);
    if (!isObjectType(type)) throw new Error(`PERMISSION_MAP names ${name}, which is no object type of the schema`);
    guardType(type, rules);
  }
  const entities = schema.getType('_Entity');
  for (const { name } of isUnionType(entities) ? entities.getTypes() : []) {
    if (!FOREIGN_ENTITIES.has(name) && !(name in ENTITY_PERMISSIONS))
      throw new Error(`The entity ${name} has no permission rule: add it to ENTITY_PERMISSIONS`);
  }
  const subscription = schema.getSubscriptionType();
  if (subscription) throw new Error('Subscriptions have no permission rules');
  return guardRepresentations(schema);
}

type ReferenceResolver = (reference: unknown, context: GraphQLContext, info: unknown) => unknown;

/**
 * Returns the resolvers with every maker of entities from references behind its permission.
 *
 * @throws when an entity that this subgraph makes from a reference has no rule, or one with a rule is not made here
 */
export function guardReferences<T extends object>(resolvers: T): T {
  const guarded = Object.entries(resolvers).map(
    ([name, type]: [string, { __resolveReference?: ReferenceResolver }]): [
      string,
      { __resolveReference?: ReferenceResolver },
    ] => {
      const resolve = type.__resolveReference;
      if (resolve === undefined || FOREIGN_ENTITIES.has(name)) return [name, type];
      const permission = ENTITY_PERMISSIONS[name];
      if (permission === undefined)
        throw new Error(`The entity ${name} has no permission rule: add it to ENTITY_PERMISSIONS`);
      const guardedResolve: ReferenceResolver = async (reference, context, info) => {
        authorize(context, permission);
        return resolve(reference, context, info);
      };
      return [name, { ...type, __resolveReference: guardedResolve }];
    },
  );
  // Without a resolver of its own a reference is given back as it came, and its fields are then anybody's.
  const bare = Object.keys(ENTITY_PERMISSIONS).find(
    (name) => !guarded.some(([guardedName, type]) => guardedName === name && type.__resolveReference),
  );
  if (bare !== undefined) throw new Error(`The entity ${bare} has no __resolveReference`);
  return Object.fromEntries(guarded) as T;
}
