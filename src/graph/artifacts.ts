import type { BatchCall } from './batch.ts';
import { listAllBatched } from './batched-lists.ts';
import { readPlanner } from './call.ts';
import { callArtifact } from './call-artifact.ts';
import { continuedRound, readRound } from './delta-round.ts';
import { unanswered } from './network-failure.ts';
import { graphPath, literal } from './path.ts';
import type { GraphRequests } from './requests.ts';
import type {
  CallOptions,
  GraphArtifactKind,
  GraphArtifacts,
  GraphArtifactWindow,
  GraphCallArtifact,
  GraphMeetingArtifacts,
  Outcome,
} from './types.ts';

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
  /** The lists of these kinds, meeting by meeting, in the order of the kinds. */
  async function lists(
    operation: string,
    kinds: readonly GraphArtifactKind[],
    user: string,
    meetings: readonly string[],
    options: CallOptions | undefined,
  ): Promise<Outcome<GraphCallArtifact[]>[]> {
    const plans = meetings.flatMap((meeting) =>
      kinds.map(
        (kind) => () => KINDS[kind].plan(operation, user, graphPath(KINDS[kind].list, { user, meeting }), options),
      ),
    );
    const call: BatchCall = { operation, user, options };
    return listAllBatched(requests, call, plans, callArtifact);
  }

  const unread = (operation: string) => ({ error: unanswered('UNKNOWN', `${operation}: a list was not read`) });

  return {
    listOfMeetings: async (user, meetingIds, options) => {
      const meetings = [...new Set(meetingIds)];
      const operation = 'artifacts.listOfMeetings';
      const found = await lists(operation, ['recordings', 'transcripts'], user, meetings, options);
      const missing = unread(operation);
      return new Map(
        meetings.map((meeting, place): [string, GraphMeetingArtifacts] => [
          meeting,
          { recordings: found[2 * place] ?? missing, transcripts: found[2 * place + 1] ?? missing },
        ]),
      );
    },

    listOfKind: async (kind, user, meetingIds, options) => {
      const meetings = [...new Set(meetingIds)];
      const operation = `artifacts.listOfKind.${kind}`;
      const found = await lists(operation, [kind], user, meetings, options);
      return new Map(meetings.map((meeting, place) => [meeting, found[place] ?? unread(operation)]));
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
