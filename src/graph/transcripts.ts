import { type CallPlan, readPlanner } from './call.ts';
import { callArtifact } from './call-artifact.ts';
import { GraphRequestError } from './errors.ts';
import { listAll } from './paging.ts';
import { graphPath } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphClient } from './types.ts';

const TRANSCRIPTS = '/users/{user}/onlineMeetings/{meeting}/transcripts';
const WITH_SPEAKERS = 'text/vtt';
const WITHOUT_SPEAKERS = 'application/vnd.microsoft.graph.transcript+text';

const plan = readPlanner('transcripts', ['OnlineMeetingTranscript.Read.All']);

/** Transcripts of calendar-backed meetings. Microsoft Learn: onlinemeeting-list-transcripts, calltranscript-get. */
export function transcriptsClient(requests: GraphRequests): GraphClient['transcripts'] {
  async function bytes(contentPlan: CallPlan, accept: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await requests.send({ ...contentPlan, headers: { accept }, isContent: true });
    return new Uint8Array(await response.arrayBuffer());
  }

  return {
    list: async (user, meeting, options) => {
      const path = graphPath(TRANSCRIPTS, { user, meeting });
      return listAll(requests, plan('transcripts.list', user, path, options), callArtifact);
    },

    content: async (user, meeting, transcript, options) => {
      const path = graphPath(`${TRANSCRIPTS}/{transcript}/content`, { user, meeting, transcript });
      const contentPlan = plan('transcripts.content', user, path, options);
      try {
        return { vtt: await bytes(contentPlan, WITH_SPEAKERS), isSpeakerAttributed: true };
      } catch (error) {
        if (!(error instanceof GraphRequestError) || error.kind !== 'SPEAKER_ATTRIBUTION_DISABLED') throw error;
        return { vtt: await bytes(contentPlan, WITHOUT_SPEAKERS), isSpeakerAttributed: false };
      }
    },
  };
}
