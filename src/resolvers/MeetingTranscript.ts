import { GraphQLError } from 'graphql';
import type { MeetingTranscriptResolvers } from '../generated/graphql.ts';
import type { TranscriptHead } from '../services/artifacts/artifact-reads.ts';
import { recordingOf } from '../services/transcripts/recording-of.ts';
import { factsOf, isDerived } from '../services/transcripts/transcript-reads.ts';
import { type Cue, paragraphsOf } from '../services/transcripts/vtt.ts';
import type { Loaders } from './context.ts';
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

const facts = (transcript: TranscriptHead, { parsedTranscript }: Loaders) =>
  factsOf(transcript, () => parsedTranscript.load(transcript.id));

async function cuesOf(transcript: TranscriptHead, from: number, to: number, loaders: Loaders): Promise<Cue[]> {
  if (isDerived(transcript)) return loaders.cuesInRange.load({ transcript, from, to });
  return (await loaders.parsedTranscript.load(transcript.id)).cues.slice(from, to);
}

export const MeetingTranscript: MeetingTranscriptResolvers = {
  __resolveReference: async ({ id }, { loaders }) => loaders.transcriptById.load(id),
  meeting: ({ meetingId }, _args, { loaders }) => meetingOf(loaders, meetingId),
  recording: async (transcript, _args, { loaders }) =>
    recordingOf(transcript, await loaders.recordingsByMeeting.load(transcript.meetingId)),
  durationSeconds: async (transcript, _args, { loaders }) => (await facts(transcript, loaders)).durationSeconds,
  speakers: async (transcript, _args, { loaders }) => (await facts(transcript, loaders)).speakers,
  unparsedCueCount: async (transcript, _args, { loaders }) => (await facts(transcript, loaders)).unparsedCueCount,
  text: async (transcript, _args, { loaders }) =>
    paragraphsOf(await cuesOf(transcript, 0, Number.MAX_SAFE_INTEGER, loaders)),
  async cues(transcript, { first, after }, { loaders }) {
    const size = first ?? 100;
    if (size < 1 || size > MAX_CUES)
      throw new GraphQLError(`first must be between 1 and ${MAX_CUES}.`, { extensions: { code: 'BAD_USER_INPUT' } });
    const start = firstIndex(after);
    const [{ cueCount }, cues] = await Promise.all([
      facts(transcript, loaders),
      cuesOf(transcript, start, start + size, loaders),
    ]);
    const edges = cues.map((node) => ({ cursor: String(node.index), node }));
    return { edges, totalCount: cueCount, pageInfo: pageInfo(edges, start + size < cueCount, start > 0) };
  },
  vttUrl: ({ id }, _args, { services, scope }) => services.links.sign(scope.viewer, 'transcript', id).url,
  textUrl: ({ id }, _args, { services, scope }) => services.links.sign(scope.viewer, 'transcript-text', id).url,
};
