import type { MeetingRecordingResolvers } from '../generated/graphql.ts';
import { isAvailable } from '../services/recordings/recording-rows.ts';
import { meetingOf } from './meeting-of.ts';

export const MeetingRecording: MeetingRecordingResolvers = {
  __resolveReference: async ({ id }, { loaders }) => loaders.recordingById.load(id),
  meeting: ({ meetingId }, _args, { loaders }) => meetingOf(loaders, meetingId),
  durationSeconds: ({ createdAt, endedAt }) =>
    endedAt === null ? null : Math.round((endedAt.getTime() - createdAt.getTime()) / 1000),
  sizeBytes: ({ sizeBytes }) => (sizeBytes === null ? null : Number(sizeBytes)),
  isAvailable: (recording) => isAvailable(recording),
  contentUrl: ({ id }, _args, { services, scope }) => services.links.sign(scope.viewer, 'recording', id).url,
  contentUrlExpiresAt: ({ id }, _args, { services, scope }) =>
    services.links.sign(scope.viewer, 'recording', id).expiresAt,
};
