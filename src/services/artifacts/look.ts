import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphCallArtifact, GraphClient, Outcome } from '../../graph/types.ts';
import { type StoredFailure, toStoredFailure, toUserError, type UserError } from '../failures.ts';
import { captureFailureOf, type Meeting } from '../meetings/meeting.ts';
import { buriedOf } from '../retention/tombstones.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import type { CaptureAttendance } from './attendance.ts';
import { type ArtifactPart, afterLook, type CaptureProgress, PARTS } from './capture-rules.ts';
import { resolveOnlineMeetings } from './resolve-online-meetings.ts';
import type { ArtifactStore } from './store-artifacts.ts';

/** What a look at one meeting brought. */
export interface Looked {
  meeting: Meeting;
  newRecordings: number;
  newTranscripts: number;
  /** One entry a failure; several transcripts can fail each by itself. */
  userErrors: UserError[];
  progress: CaptureProgress;
}

/**
 * Asks Microsoft for the artifacts of meetings of one organizer, stores what is new, and says how each meeting stands
 * now; storing that is the caller's. Every part of every meeting succeeds or fails by itself.
 *
 * @throws what is no failure of Microsoft
 */
export type Look = (
  scope: Scope,
  graph: GraphClient,
  organizerId: string,
  meetings: readonly Meeting[],
  options?: LookOptions,
) => Promise<Looked[]>;

export interface LookOptions {
  /** A person wants to know: then what was refused for good is asked for as well, and attendance in any case. */
  isAskedFor?: boolean;
}

/** After the end of a meeting: by then its attendance is known, unless the call went on. */
const REPORTED_AFTER_MS = 30 * 60_000;

const NO_ONLINE_MEETING = {
  code: 'NOT_FOUND',
  message: 'Microsoft has no online meeting with this join link.',
  remedy: 'The meeting may have expired, 60 days after its end.',
} as const;

/** What is stored of meetings, or was until retention deleted it: Microsoft's ids of it, by meeting. */
type Known = Map<string, { recordings: Set<string>; transcripts: Set<string> }>;

/** A part is missing that was not asked for, because it was refused before. */
type Found = Partial<Record<ArtifactPart, Outcome<GraphCallArtifact[]>>>;

interface PartResult {
  count: number;
  errors: GraphRequestError[];
}

export function makeLook(deps: { store: ArtifactStore; attendance: CaptureAttendance }, tools: ServiceTools): Look {
  async function known(scope: Scope, meetings: readonly Meeting[]): Promise<Known> {
    const where = { meetingId: { in: meetings.map(({ id }) => id) } };
    const [recordings, transcripts, buried] = await scope.db.run(async (prisma) => [
      await prisma.meetingRecording.findMany({ where, select: { meetingId: true, graphRecordingId: true } }),
      await prisma.meetingTranscript.findMany({ where, select: { meetingId: true, graphTranscriptId: true } }),
      await buriedOf(
        prisma,
        meetings.map(({ id }) => id),
      ),
    ]);
    const byMeeting: Known = new Map(
      meetings.map(({ id }) => [id, { recordings: new Set<string>(), transcripts: new Set<string>() }]),
    );
    for (const row of recordings) byMeeting.get(row.meetingId)?.recordings.add(row.graphRecordingId);
    for (const row of transcripts) byMeeting.get(row.meetingId)?.transcripts.add(row.graphTranscriptId);
    for (const { meetingId, kind, graphId } of buried)
      byMeeting.get(meetingId)?.[kind === 'RECORDING' ? 'recordings' : 'transcripts'].add(graphId);
    return byMeeting;
  }

  /** Everything of most meetings, and of those of which one part was refused the other part. */
  async function lists(
    graph: GraphClient,
    organizerId: string,
    meetings: readonly Meeting[],
    ids: Map<string, Outcome<string | null>>,
    isAskedFor: boolean,
  ): Promise<Map<string, Found>> {
    const refused = ({ captureRefused }: Meeting, part: ArtifactPart) => !isAskedFor && captureRefused.includes(part);
    const idsWhere = (isWanted: (meeting: Meeting) => boolean) =>
      meetings.filter(isWanted).flatMap(({ id }) => ids.get(id)?.value ?? []);
    const found = new Map<string, Found>(
      await graph.artifacts.listOfMeetings(
        organizerId,
        idsWhere((meeting) => PARTS.every((part) => !refused(meeting, part))),
      ),
    );
    for (const part of PARTS) {
      const others = PARTS.filter((other) => other !== part);
      const alone = idsWhere((meeting) => !refused(meeting, part) && others.every((other) => refused(meeting, other)));
      if (alone.length === 0) continue;
      for (const [id, list] of await graph.artifacts.listOfKind(part, organizerId, alone))
        found.set(id, { [part]: list });
    }
    return found;
  }

  async function takeRecordings(
    scope: Scope,
    meeting: Meeting,
    found: Outcome<GraphCallArtifact[]> | undefined,
    stored: ReadonlySet<string>,
  ): Promise<PartResult | null> {
    if (found === undefined) return null;
    if (found.error !== undefined) return { count: 0, errors: [found.error] };
    const news = found.value.filter(({ id }) => !stored.has(id));
    return { count: news.length === 0 ? 0 : await deps.store.recordings(scope, meeting, news), errors: [] };
  }

  /** The text of each transcript comes by a call of its own; one that cannot be had is tried again at the next look. */
  async function takeTranscripts(
    scope: Scope,
    graph: GraphClient,
    meeting: Meeting,
    found: Outcome<GraphCallArtifact[]> | undefined,
    stored: ReadonlySet<string>,
  ): Promise<PartResult | null> {
    if (found === undefined) return null;
    if (found.error !== undefined) return { count: 0, errors: [found.error] };
    const result: PartResult = { count: 0, errors: [] };
    for (const transcript of found.value.filter(({ id }) => !stored.has(id))) {
      try {
        const content = await graph.transcripts.content(
          meeting.organizerObjectId ?? '',
          meeting.graphOnlineMeetingId ?? '',
          transcript.id,
        );
        if (await deps.store.transcript(scope, meeting, transcript, content)) result.count += 1;
      } catch (error) {
        if (!(error instanceof GraphRequestError)) throw error;
        result.errors.push(error);
      }
    }
    return result;
  }

  function conclude(meeting: Meeting, hadArtifacts: boolean, results: Record<ArtifactPart, PartResult | null>): Looked {
    const now = tools.clock();
    const failures: Partial<Record<ArtifactPart, StoredFailure>> = {};
    const userErrors: UserError[] = [];
    for (const part of PARTS) {
      const { errors } = results[part] ?? { errors: [] };
      const [error] = errors;
      // What was refused and not asked for again is still refused.
      const failure =
        results[part] === null ? captureFailureOf(meeting) : error === undefined ? null : toStoredFailure(error, now);
      if (failure !== null) failures[part] = failure;
      userErrors.push(...errors.map((one) => toUserError(one, [part])));
    }
    const newRecordings = results.recordings?.count ?? 0;
    const newTranscripts = results.transcripts?.count ?? 0;
    const hasArtifacts = hadArtifacts || newRecordings + newTranscripts > 0;
    return {
      meeting,
      newRecordings,
      newTranscripts,
      userErrors,
      progress: afterLook(meeting, { hasArtifacts, failures }, now),
    };
  }

  /** Nothing can be asked about a meeting whose id at Microsoft is not known. */
  function unresolved(meeting: Meeting, hasArtifacts: boolean, error: GraphRequestError | null): Looked {
    const now = tools.clock();
    const failure: StoredFailure =
      error === null
        ? { ...NO_ONLINE_MEETING, occurredAt: now.toISOString(), graphRequestId: null }
        : toStoredFailure(error, now);
    const failures = Object.fromEntries(PARTS.map((part) => [part, failure]));
    return {
      meeting,
      newRecordings: 0,
      newTranscripts: 0,
      userErrors: [error === null ? NO_ONLINE_MEETING : toUserError(error)],
      progress: afterLook(meeting, { hasArtifacts, failures }, now),
    };
  }

  /** Reports are made when a call is over; in the background each meeting is asked about once or twice. */
  function isAttendanceDue({ meeting, newRecordings, newTranscripts, progress }: Looked): boolean {
    if (newRecordings + newTranscripts > 0 || progress.captureNextAt === null) return true;
    const reportedAt = new Date(meeting.endsAt.getTime() + REPORTED_AFTER_MS);
    const { captureLastAttemptAt: last } = meeting;
    return reportedAt <= tools.clock() && (last === null || last < reportedAt);
  }

  async function withAttendance(
    scope: Scope,
    graph: GraphClient,
    organizerId: string,
    looked: Looked[],
    isAskedFor: boolean,
  ): Promise<Looked[]> {
    const due = looked.filter((one) => isAskedFor || isAttendanceDue(one)).map(({ meeting }) => meeting);
    const failures = await deps.attendance(scope, graph, organizerId, due);
    return looked.map((one) => {
      const failure = failures.get(one.meeting.id);
      if (failure === undefined) return one;
      return { ...one, userErrors: [...one.userErrors, toUserError(failure, ['attendanceReports'])] };
    });
  }

  return async (scope, graph, organizerId, meetings, { isAskedFor = false } = {}) => {
    const stored = await known(scope, meetings);
    const ids = await resolveOnlineMeetings(scope, graph, organizerId, meetings);
    const found = await lists(graph, organizerId, meetings, ids, isAskedFor);
    const looked: Looked[] = [];
    for (const row of meetings) {
      const before = stored.get(row.id) ?? { recordings: new Set(), transcripts: new Set() };
      const hadArtifacts = before.recordings.size + before.transcripts.size > 0;
      const id = ids.get(row.id);
      const parts: Found | undefined = found.get(id?.value ?? '');
      if (id?.value == null || parts === undefined) {
        looked.push(unresolved(row, hadArtifacts, id?.error ?? null));
        continue;
      }
      const meeting = { ...row, graphOnlineMeetingId: id.value };
      const results = {
        recordings: await takeRecordings(scope, meeting, parts.recordings, before.recordings),
        transcripts: await takeTranscripts(scope, graph, meeting, parts.transcripts, before.transcripts),
      };
      looked.push(conclude(meeting, hadArtifacts, results));
    }
    return withAttendance(scope, graph, organizerId, looked, isAskedFor);
  };
}
