import type { BatchCall } from './batch.ts';
import { listAllBatched } from './batched-lists.ts';
import { readPlanner } from './call.ts';
import { callArtifact } from './call-artifact.ts';
import { continuedRound, readRound } from './delta-round.ts';
import { unanswered } from './network-failure.ts';
import { graphPath, literal } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type { GraphArtifacts, GraphArtifactWindow, GraphCallArtifact, GraphMeetingArtifacts } from './types.ts';

const MEETING = '/users/{user}/onlineMeetings/{meeting}';

const KINDS = {
  recordings: {
    plan: readPlanner('recordings', ['OnlineMeetingRecording.Read.All']),
    list: `${MEETING}/recordings`,
    all: 'getAllRecordings',
  },
  transcripts: {
    plan: readPlanner('transcripts', ['OnlineMeetingTranscript.Read.All']),
    list: `${MEETING}/transcripts`,
    all: 'getAllTranscripts',
  },
} as const;

/**
 * Recordings and transcripts of many calendar-backed meetings. Microsoft Learn: onlinemeeting-list-recordings,
 * onlinemeeting-list-transcripts, callrecording-delta, calltranscript-delta.
 */
export function artifactsClient(requests: GraphRequests): GraphArtifacts {
  return {
    listOfMeetings: async (user, meetingIds, options) => {
      const meetings = [...new Set(meetingIds)];
      const operation = 'artifacts.listOfMeetings';
      const plans = meetings.flatMap((meeting) =>
        [KINDS.recordings, KINDS.transcripts].map(
          ({ plan, list }) =>
            () =>
              plan(operation, user, graphPath(list, { user, meeting }), options),
        ),
      );
      const call: BatchCall = { operation, user, options };
      const lists = await listAllBatched(requests, call, plans, callArtifact);
      const missing = { error: unanswered('UNKNOWN', `${operation}: a list was not read`) };
      return new Map(
        meetings.map((meeting, place): [string, GraphMeetingArtifacts] => [
          meeting,
          { recordings: lists[2 * place] ?? missing, transcripts: lists[2 * place + 1] ?? missing },
        ]),
      );
    },

    changes: async (kind, user, from, options) => {
      const operation = `artifacts.changes.${kind}`;
      const window = 'startsAt' in from ? from : undefined;
      const { path, template } = graphPath('/users/{user}/onlineMeetings', { user });
      const all = `${KINDS[kind].all}(${window === undefined ? '' : functionParameters(user, window)})/delta`;
      const target = { path: `${path}/${all}`, template: `${template}/${KINDS[kind].all}()/delta` };
      const plan = KINDS[kind].plan(operation, user, target, options);

      const continued = from.deltaLink === undefined ? null : await continuedRound(requests, plan, from.deltaLink);
      if (continued === null && window === undefined) {
        throw unanswered('NOT_FOUND', `${operation}: Microsoft Graph no longer knows the delta link`);
      }
      const { values, deltaLink } = continued ?? (await readRound(requests, plan));
      return { artifacts: artifactsIn(requests, operation, values), deltaLink, isFullRead: continued === null };
    },
  };
}

function functionParameters(user: string, { startsAt, endsAt }: GraphArtifactWindow): string {
  const organizer = encodeURIComponent(literal(user)).replaceAll("'", '%27');
  return `meetingOrganizerUserId=${organizer},startDateTime=${startsAt.toISOString()},endDateTime=${endsAt.toISOString()}`;
}

/**
 * Each artifact once, as it came first. One that cannot be read is left out: trying again would not help, and it must
 * not hold up the others for good.
 */
function artifactsIn({ logger }: GraphRequests, operation: string, values: unknown[]): GraphCallArtifact[] {
  const byId = new Map<string, GraphCallArtifact>();
  let unreadable = 0;
  for (const value of values) {
    const { success, data } = callArtifact.safeParse(value);
    if (!success) unreadable += 1;
    else if (!byId.has(data.id)) byId.set(data.id, data);
  }
  if (unreadable > 0) logger.warn({ operation, unreadable }, 'Microsoft Graph sent artifacts that cannot be read');
  return [...byId.values()];
}
