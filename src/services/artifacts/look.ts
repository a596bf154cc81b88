import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphCallArtifact, GraphClient, Outcome } from '../../graph/types.ts';
import { toStoredFailure, toUserError, type UserError } from '../failures.ts';
import { captureFailureOf, type Meeting } from '../meetings/meeting.ts';
import { judge } from '../meetings/sync/retry-policy.ts';
import { buriedOf } from '../retention/tombstones.ts';
import { DatabaseUnavailableError, type Scope, type ServiceTools } from '../scope.ts';
import type { CaptureAttendance } from './attendance.ts';
import {
  type ArtifactPart,
  afterLook,
  type CaptureProgress,
  EXPIRES_MS,
  PARTS,
  type PartFailure,
} from './capture-rules.ts';
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
/** Until attendance is asked for again that could not be had at the last look. */
const AGAIN_MS = 6 * 3_600_000;

const NO_ONLINE_MEETING = {
  code: 'NOT_FOUND',
  message: 'Microsoft has no online meeting with this join link.',
  remedy: 'The meeting may have expired, 60 days after its end.',
} as const;

/** What was refused and not asked for again is still refused. */
function stillRefused(meeting: Meeting): PartFailure | null {
  const failure = captureFailureOf(meeting);
  return failure === null ? null : { failure, isLasting: true };
}

/** Of several failures the one that gives most hope: as long as it is there, the part is asked for again. */
function failureOf(errors: readonly GraphRequestError[], now: Date): PartFailure | null {
  const isLasting = ({ kind }: GraphRequestError) => judge(kind, false) === 'person';
  const passing = errors.find((error) => !isLasting(error) && error.kind !== 'NOT_FOUND');
  const error = passing ?? errors.find(isLasting) ?? errors[0];
  return error === undefined ? null : { failure: toStoredFailure(error, now), isLasting: isLasting(error) };
}

/**
 * What is stored of meetings, or was until retention deleted it: Microsoft's ids of it, by meeting. Of `bare` recordings
 * nothing but the id is known, because they were imported.
 */
type Known = Map<string, { recordings: Set<string>; transcripts: Set<string>; bare: Set<string> }>;

const OUR_FAULT = {
  code: 'GRAPH_UNAVAILABLE',
  message: 'Something went wrong on our side with what Microsoft sent.',
  remedy: 'It is tried again. An operator finds the cause in the log, under the id of the meeting.',
} as const;

/** A part is missing that was not asked for, because it was refused before. */
type Found = Partial<Record<ArtifactPart, Outcome<GraphCallArtifact[]>>>;

const NOTHING = () => ({ recordings: new Set<string>(), transcripts: new Set<string>(), bare: new Set<string>() });

interface PartResult {
  count: number;
  errors: GraphRequestError[];
}

export function makeLook(deps: { store: ArtifactStore; attendance: CaptureAttendance }, tools: ServiceTools): Look {
  async function known(scope: Scope, meetings: readonly Meeting[]): Promise<Known> {
    const where = { meetingId: { in: meetings.map(({ id }) => id) } };
    const [recordings, transcripts, buried] = await scope.db.run(async (prisma) => [
      await prisma.meetingRecording.findMany({
        where,
        select: { meetingId: true, graphRecordingId: true, callId: true, endedAt: true, contentCorrelationId: true },
      }),
      await prisma.meetingTranscript.findMany({ where, select: { meetingId: true, graphTranscriptId: true } }),
      await buriedOf(
        prisma,
        meetings.map(({ id }) => id),
      ),
    ]);
    const byMeeting: Known = new Map(meetings.map(({ id }) => [id, NOTHING()]));
    for (const { meetingId, graphRecordingId, ...facts } of recordings) {
      const stored = byMeeting.get(meetingId);
      stored?.recordings.add(graphRecordingId);
      if (Object.values(facts).every((fact) => fact === null)) stored?.bare.add(graphRecordingId);
    }
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
    { recordings, bare }: { recordings: ReadonlySet<string>; bare: ReadonlySet<string> },
  ): Promise<PartResult | null> {
    if (found === undefined) return null;
    if (found.error !== undefined) return { count: 0, errors: [found.error] };
    const news = found.value.filter(({ id }) => !recordings.has(id) || bare.has(id));
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
    const failures: Partial<Record<ArtifactPart, PartFailure>> = {};
    const userErrors: UserError[] = [];
    for (const part of PARTS) {
      const result = results[part];
      const failure = result === null ? stillRefused(meeting) : failureOf(result.errors, now);
      if (failure !== null) failures[part] = failure;
      userErrors.push(...(result?.errors ?? []).map((one) => toUserError(one, [part])));
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
    const failure =
      error === null
        ? { failure: { ...NO_ONLINE_MEETING, occurredAt: now.toISOString(), graphRequestId: null }, isLasting: false }
        : failureOf([error], now);
    const failures = failure === null ? {} : Object.fromEntries(PARTS.map((part) => [part, failure]));
    return {
      meeting,
      newRecordings: 0,
      newTranscripts: 0,
      userErrors: [error === null ? NO_ONLINE_MEETING : toUserError(error)],
      progress: afterLook(meeting, { hasArtifacts, failures }, now),
    };
  }

  /** An error of ours with one meeting: it waits like one of Microsoft's, and keeps no other meeting waiting. */
  function broken(scope: Scope, meeting: Meeting, hasArtifacts: boolean, err: unknown): Looked {
    const now = tools.clock();
    const fields = { err, tenantId: scope.db.tenantId, meetingId: meeting.id };
    tools.logger.error(fields, '[TeamsMeetings] operation=capture failed');
    const failure = {
      failure: { ...OUR_FAULT, occurredAt: now.toISOString(), graphRequestId: null },
      isLasting: false,
    };
    const { captureRefused: _refused, ...progress } = afterLook(
      meeting,
      { hasArtifacts, failures: { recordings: failure, transcripts: failure } },
      now,
    );
    const captureRefused = PARTS.filter((part) => meeting.captureRefused.includes(part));
    return {
      meeting,
      newRecordings: 0,
      newTranscripts: 0,
      userErrors: [OUR_FAULT],
      progress: { ...progress, captureRefused },
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
      const userErrors = [...one.userErrors, toUserError(failure, ['attendanceReports'])];
      const now = tools.clock();
      const isLost = one.progress.captureNextAt === null && now.getTime() - one.meeting.endsAt.getTime() < EXPIRES_MS;
      if (!isLost || judge(failure.kind, false) !== 'transient') return { ...one, userErrors };
      return { ...one, userErrors, progress: { ...one.progress, captureNextAt: new Date(now.getTime() + AGAIN_MS) } };
    });
  }

  return async (scope, graph, organizerId, meetings, { isAskedFor = false } = {}) => {
    const stored = await known(scope, meetings);
    const ids = await resolveOnlineMeetings(scope, graph, organizerId, meetings);
    const found = await lists(graph, organizerId, meetings, ids, isAskedFor);
    const looked: Looked[] = [];
    for (const row of meetings) {
      const before = stored.get(row.id) ?? NOTHING();
      const hadArtifacts = before.recordings.size + before.transcripts.size > 0;
      const id = ids.get(row.id);
      if (id?.value == null) {
        looked.push(unresolved(row, hadArtifacts, id?.error ?? null));
        continue;
      }
      const meeting = { ...row, graphOnlineMeetingId: id.value };
      const parts: Found = found.get(id.value) ?? {};
      try {
        const results = {
          recordings: await takeRecordings(scope, meeting, parts.recordings, before),
          transcripts: await takeTranscripts(scope, graph, meeting, parts.transcripts, before.transcripts),
        };
        looked.push(conclude(meeting, hadArtifacts, results));
      } catch (error) {
        if (error instanceof DatabaseUnavailableError) throw error;
        looked.push(broken(scope, meeting, hadArtifacts, error));
      }
    }
    return withAttendance(scope, graph, organizerId, looked, isAskedFor);
  };
}
