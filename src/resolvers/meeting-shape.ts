import { type GraphQLResolveInfo, Kind, TypeInfo, visit, visitWithTypeInfo } from 'graphql';
import type { Resolvers } from '../generated/graphql.ts';
import type { Detail, MeetingShape } from '../services/meetings/meeting-board.ts';

type FieldOf<Type extends keyof Resolvers> = Exclude<keyof NonNullable<Resolvers[Type]>, `__${string}`>;

function fields<Type extends keyof Resolvers>(names: Partial<Record<FieldOf<Type>, true>>): ReadonlySet<string> {
  return new Set(['__typename', ...Object.keys(names)]);
}

/** The fields that a card answers; asked for any other, the whole row is read. */
const ON_CARD = {
  TeamsMeeting: fields<'TeamsMeeting'>({
    id: true,
    status: true,
    subject: true,
    startsAt: true,
    endsAt: true,
    joinUrl: true,
    appointment: true,
    interaction: true,
    client: true,
    attendees: true,
    recordings: true,
    transcripts: true,
  }),
  MeetingAttendee: fields<'MeetingAttendee'>({ emailAddress: true, name: true, kind: true, response: true }),
  MeetingRecording: fields<'MeetingRecording'>({
    id: true,
    meeting: true,
    createdAt: true,
    endedAt: true,
    durationSeconds: true,
    contentType: true,
    sizeBytes: true,
    storage: true,
    isAvailable: true,
    contentUrl: true,
    contentUrlExpiresAt: true,
  }),
  MeetingTranscript: fields<'MeetingTranscript'>({
    id: true,
    meeting: true,
    createdAt: true,
    endedAt: true,
    isSpeakerAttributed: true,
    vttUrl: true,
    textUrl: true,
  }),
};

type Asked = Map<string, Set<string>>;
type Operation = Pick<GraphQLResolveInfo, 'operation' | 'fragments' | 'schema'>;

/** The names of the fields that are asked of each type, anywhere in the operation. */
function fieldsAsked({ operation, fragments, schema }: Operation): Asked {
  const asked: Asked = new Map();
  const types = new TypeInfo(schema);
  const document = { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] } as const;
  visit(
    document,
    visitWithTypeInfo(types, {
      Field({ name }) {
        const type = types.getParentType()?.name ?? '';
        asked.set(type, (asked.get(type) ?? new Set()).add(name.value));
      },
    }),
  );
  return asked;
}

const shapes = new WeakMap<GraphQLResolveInfo['operation'], MeetingShape>();

/**
 * What the operation asks of the meetings of appointments and interactions. Fields under a condition, and those that
 * are asked elsewhere in the operation, count: at worst too much is read. Found once for each parsed operation.
 */
export function meetingShapeOf(info: Operation): MeetingShape {
  const known = shapes.get(info.operation);
  if (known !== undefined) return known;
  const asked = fieldsAsked(info);
  const detail = (type: keyof typeof ON_CARD): Detail =>
    [...(asked.get(type) ?? [])].every((field) => ON_CARD[type].has(field)) ? 'card' : 'full';
  const part = (field: string, type: keyof typeof ON_CARD) =>
    ['TeamsMeeting', 'Appointment', 'Interaction'].some((parent) => asked.get(parent)?.has(field))
      ? detail(type)
      : null;
  const shape: MeetingShape = {
    meeting: detail('TeamsMeeting'),
    attendees: part('attendees', 'MeetingAttendee'),
    recordings: part('recordings', 'MeetingRecording'),
    transcripts: part('transcripts', 'MeetingTranscript'),
  };
  shapes.set(info.operation, shape);
  return shape;
}
