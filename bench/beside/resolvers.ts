import type { PrismaClient } from '../../src/generated/prisma/client.ts';
import type { PeerLoaders } from './loaders.ts';

interface LoaderContext {
  loaders: PeerLoaders;
}
type Parent = { id: string };

const written = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
const instants = (...names: string[]) =>
  Object.fromEntries(names.map((name) => [name, (parent: Record<string, unknown>) => written(parent[name])]));

/** A meeting that is over is told from one that is to come by the clock. */
function status(parent: { status: string; endsAt: Date | string }): string {
  return parent.status === 'SCHEDULED' && new Date(parent.endsAt) <= new Date() ? 'ENDED' : parent.status;
}

const TIMES = {
  TeamsMeeting: { status, ...instants('startsAt', 'endsAt') },
  MeetingRecording: instants('createdAt', 'endedAt'),
  MeetingTranscript: instants('createdAt', 'endedAt'),
  Query: { ok: () => true },
};

/** Resolvers over loaders, as the documentation of each library recommends. */
export const LOADER_RESOLVERS = {
  ...TIMES,
  Appointment: {
    __resolveReference: ({ id }: Parent) => ({ id }),
    teamsMeeting: ({ id }: Parent, _args: unknown, { loaders }: LoaderContext) => loaders.meeting.load(id),
  },
  TeamsMeeting: {
    ...TIMES.TeamsMeeting,
    attendees: ({ id }: Parent, _args: unknown, { loaders }: LoaderContext) => loaders.attendees.load(id),
    recordings: ({ id }: Parent, _args: unknown, { loaders }: LoaderContext) => loaders.recordings.load(id),
    transcripts: ({ id }: Parent, _args: unknown, { loaders }: LoaderContext) => loaders.transcripts.load(id),
  },
};

interface TemplateContext {
  prisma: PrismaClient;
  tenantId: string;
}

/** Resolvers as templates write them: each asks Prisma for what its parent has. */
export const TEMPLATE_RESOLVERS = {
  ...TIMES,
  Appointment: {
    __resolveReference: ({ id }: Parent) => ({ id }),
    teamsMeeting: ({ id }: Parent, _args: unknown, { prisma, tenantId }: TemplateContext) =>
      prisma.onlineMeeting.findFirst({
        where: { tenantId, appointmentId: id, status: { notIn: ['CANCELLED', 'CANCELLING'] } },
      }),
  },
  TeamsMeeting: {
    ...TIMES.TeamsMeeting,
    attendees: ({ id }: Parent, _args: unknown, { prisma, tenantId }: TemplateContext) =>
      prisma.meetingAttendee.findMany({
        where: { tenantId, meetingId: id, isRemoved: false },
        orderBy: { position: 'asc' },
      }),
    recordings: ({ id }: Parent, _args: unknown, { prisma, tenantId }: TemplateContext) =>
      prisma.meetingRecording.findMany({
        where: { tenantId, meetingId: id },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
    transcripts: ({ id }: Parent, _args: unknown, { prisma, tenantId }: TemplateContext) =>
      prisma.meetingTranscript.findMany({
        where: { tenantId, meetingId: id },
        orderBy: [{ createdAt: 'asc' }, { id: 'asc' }],
      }),
  },
};
