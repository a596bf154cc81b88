import { GraphQLError } from 'graphql';
import type { MeetingTranscriptResolvers } from '../generated/graphql.ts';
import { durationOf, paragraphsOf, speakersOf } from '../services/transcripts/vtt.ts';
import { meetingOf } from './meeting-of.ts';
import { pageInfo } from './page-info.ts';

const MAX_CUES = 1000;

/** A cue's cursor is its index; `after` is the index of the last one seen. */
function firstIndex(after: string | null | undefined): number {
  if (!after) return 0;
  if (!/^\d{1,9}$/.test(after))
    throw new GraphQLError('after is not a cursor of this list.', { extensions: { code: 'BAD_USER_INPUT' } });
  return Number(after) + 1;
}

export const MeetingTranscript: MeetingTranscriptResolvers = {
  __resolveReference: async ({ id }, { loaders }) => loaders.transcriptById.load(id),
  meeting: ({ meetingId }, _args, { loaders }) => meetingOf(loaders, meetingId),
  async recording({ meetingId, callId, contentCorrelationId }, _args, { loaders }) {
    const recordings = await loaders.recordingsByMeeting.load(meetingId);
    const same = (a: string | null, b: string | null) => a !== null && a === b;
    return (
      recordings.find((recording) => same(recording.contentCorrelationId, contentCorrelationId)) ??
      recordings.find((recording) => same(recording.callId, callId)) ??
      null
    );
  },
  durationSeconds: async ({ id }, _args, { loaders }) => durationOf(await loaders.cuesByTranscript.load(id)),
  speakers: async ({ id }, _args, { loaders }) => speakersOf(await loaders.cuesByTranscript.load(id)),
  text: async ({ id }, _args, { loaders }) => paragraphsOf(await loaders.cuesByTranscript.load(id)),
  async cues({ id }, { first, after }, { loaders }) {
    const size = first ?? 100;
    if (size < 1 || size > MAX_CUES)
      throw new GraphQLError(`first must be between 1 and ${MAX_CUES}.`, { extensions: { code: 'BAD_USER_INPUT' } });
    const cues = await loaders.cuesByTranscript.load(id);
    const start = firstIndex(after);
    const edges = cues.slice(start, start + size).map((node) => ({ cursor: String(node.index), node }));
    return { edges, totalCount: cues.length, pageInfo: pageInfo(edges, start + size < cues.length, start > 0) };
  },
  vttUrl: ({ id }, _args, { services, scope }) => services.links.sign(scope.viewer, 'transcript', id).url,
};
