import { type ArtifactCursor, Prisma } from '../../generated/prisma/client.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import type { GraphCallArtifact, GraphClient } from '../../graph/types.ts';
import { toStoredFailure } from '../failures.ts';
import type { Meeting } from '../meetings/meeting.ts';
import { judge } from '../meetings/sync/retry-policy.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { type ArtifactPart, AWAITED_MS, EXPIRES_MS, PARTS } from './capture-rules.ts';
import { remember } from './resolve-online-meetings.ts';

/** Makes meetings due of which Microsoft has something that is not stored here. */
export interface OrganizerChanges {
  /**
   * Asks over all meetings of an organizer what is new since the last time, whatever notifications missed. Not relied
   * upon alone: Microsoft leaves out recordings of meetings without a transcript (Microsoft Learn: known-issues).
   *
   * @param everyMs nothing is asked when it was within this time; 0 asks in any case
   */
  read(scope: Scope, graph: GraphClient, organizerId: string, everyMs: number): Promise<void>;
  /**
   * Makes the meeting with this id at Teams due at once.
   * @returns whether there is one
   * @throws GraphRequestError
   */
  tell(scope: Scope, graph: GraphClient, organizerId: string, onlineMeetingId: string): Promise<boolean>;
}

const DAY_MS = 24 * 3_600_000;
/** How far back the first read goes. */
const FIRST_READ_MS = 7 * DAY_MS;
/** A read names the days that it is about; the next one begins afresh well before they are over. */
const WINDOW_MS = 30 * DAY_MS;
const NEVER = new Date(0);

export function createOrganizerChanges(tools: ServiceTools): OrganizerChanges {
  /** Of what Microsoft has something new is asked for, also if it was refused before. */
  async function makeDue(
    scope: Scope,
    meetings: readonly { id: string }[],
    parts: readonly ArtifactPart[],
  ): Promise<void> {
    if (meetings.length === 0) return;
    const rows = meetings.map(({ id }) => ({ id }));
    await scope.db.run(
      (prisma) => prisma.$executeRaw`
        UPDATE online_meetings m
           SET capture_next_at = ${tools.clock()},
               capture_refused = ARRAY(SELECT unnest(m.capture_refused) EXCEPT SELECT unnest(${parts}::text[]))
          FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x(id uuid)
         WHERE m.tenant_id = current_setting('app.tenant_id') AND m.id = x.id`,
    );
  }

  /** Our meetings with these ids at Teams. Those of which it is not known yet are found by their join links. */
  async function meetingsOf(
    scope: Scope,
    graph: GraphClient,
    organizerId: string,
    onlineMeetingIds: readonly string[],
  ): Promise<Pick<Meeting, 'id' | 'graphOnlineMeetingId'>[]> {
    const select = { id: true, graphOnlineMeetingId: true, leftIn: true };
    const [stored, isAnyUnresolved] = await scope.db.run(async (prisma) => [
      await prisma.onlineMeeting.findMany({
        where: { organizerObjectId: organizerId, graphOnlineMeetingId: { in: [...onlineMeetingIds] } },
        select,
      }),
      (await prisma.onlineMeeting.count({
        where: { organizerObjectId: organizerId, graphOnlineMeetingId: null, joinUrl: { not: null }, leftIn: null },
        take: 1,
      })) > 0,
    ]);
    const known = stored.filter(({ leftIn }) => leftIn === null);
    const strange = onlineMeetingIds.filter((id) => stored.every((row) => row.graphOnlineMeetingId !== id));
    if (strange.length === 0 || !isAnyUnresolved) return known;

    const meetings = await graph.onlineMeetings.getMany(organizerId, strange);
    // Others' meetings are refused or not found; what could not be asked may be one of ours.
    for (const { error } of meetings.values())
      if (error !== undefined && error.kind !== 'NOT_FOUND' && judge(error.kind, false) === 'transient') throw error;
    const byJoinUrl = new Map([...meetings].flatMap(([id, { value }]) => (value ? [[value.joinWebUrl, id]] : [])));
    const rows = await scope.db.run((prisma) =>
      prisma.onlineMeeting.findMany({
        where: {
          organizerObjectId: organizerId,
          graphOnlineMeetingId: null,
          joinUrl: { in: [...byJoinUrl.keys()] },
          leftIn: null,
        },
        select: { id: true, joinUrl: true },
      }),
    );
    const learned = rows.flatMap(({ id, joinUrl }) => {
      const graphOnlineMeetingId = byJoinUrl.get(joinUrl ?? '');
      return graphOnlineMeetingId === undefined ? [] : [{ id, graphOnlineMeetingId }];
    });
    await remember(scope, learned);
    return [...known, ...learned];
  }

  async function unstored(
    scope: Scope,
    part: ArtifactPart,
    artifacts: readonly GraphCallArtifact[],
  ): Promise<GraphCallArtifact[]> {
    const ids = artifacts.map(({ id }) => id);
    const stored = await scope.db.run(async (prisma) =>
      part === 'recordings'
        ? (
            await prisma.meetingRecording.findMany({
              where: { graphRecordingId: { in: ids } },
              select: { graphRecordingId: true },
            })
          ).map((row) => row.graphRecordingId)
        : (
            await prisma.meetingTranscript.findMany({
              where: { graphTranscriptId: { in: ids } },
              select: { graphTranscriptId: true },
            })
          ).map((row) => row.graphTranscriptId),
    );
    const known = new Set(stored);
    return artifacts.filter(({ id }) => !known.has(id));
  }

  /**
   * That a read went well shows that what Microsoft refused may be allowed by now. All that was refused is looked at
   * again after a read that failed; otherwise only what is new, so that there is an end to it.
   */
  async function reopen(scope: Scope, organizerId: string, part: ArtifactPart, hadFailed: boolean): Promise<void> {
    const now = tools.clock().getTime();
    await scope.db.run((prisma) =>
      prisma.onlineMeeting.updateMany({
        where: {
          organizerObjectId: organizerId,
          captureRefused: { has: part },
          endsAt: { gt: new Date(now - (hadFailed ? EXPIRES_MS : AWAITED_MS)) },
        },
        data: { captureNextAt: new Date(now), captureRefused: [] },
      }),
    );
  }

  /** Takes the turn to read; null when somebody did within the time. What is answered is how far was read before. */
  async function claim(
    scope: Scope,
    key: { organizerObjectId: string; kind: string },
    now: Date,
    everyMs: number,
  ): Promise<ArtifactCursor | null> {
    return scope.db.transaction(async (prisma) => {
      await prisma.artifactCursor.createMany({ data: [{ ...key, readAt: NEVER }], skipDuplicates: true });
      const cursor = await prisma.artifactCursor.findFirstOrThrow({ where: key });
      const { count } = await prisma.artifactCursor.updateMany({
        where: { ...key, readAt: { equals: cursor.readAt, lte: new Date(now.getTime() - everyMs) } },
        data: { readAt: now },
      });
      if (count === 0) return null;
      return cursor.readAt.getTime() === NEVER.getTime() ? { ...cursor, readAt: now } : cursor;
    });
  }

  /** Asks what is new of a part; null when somebody did within the time. What Graph refused is for {@link take} to tell. */
  async function ask(scope: Scope, graph: GraphClient, organizerId: string, part: ArtifactPart, everyMs: number) {
    const key = { organizerObjectId: organizerId, kind: part };
    const now = tools.clock();
    const cursor = await claim(scope, key, now, everyMs);
    if (cursor === null) return null;
    const windowEnd = cursor.windowEndsAt;
    const isCurrent = windowEnd !== null && windowEnd.getTime() > now.getTime() + DAY_MS;
    const endsAt = isCurrent ? windowEnd : new Date(now.getTime() + WINDOW_MS);
    const deltaLink = isCurrent ? cursor.deltaLink : null;
    const startsAt = new Date(cursor.readAt.getTime() - FIRST_READ_MS);
    const window = { startsAt, endsAt, ...(deltaLink === null ? {} : { deltaLink }) };
    const [answer] = await Promise.allSettled([graph.artifacts.changes(part, organizerId, window)]);
    return { key, part, now, endsAt, hadFailed: cursor.failure !== null, answer };
  }

  async function take(
    scope: Scope,
    graph: GraphClient,
    { key, part, now, endsAt, hadFailed, answer }: NonNullable<Awaited<ReturnType<typeof ask>>>,
  ): Promise<void> {
    const organizerId = key.organizerObjectId;
    const store = (data: Prisma.ArtifactCursorUpdateManyMutationInput) =>
      scope.db.run((prisma) => prisma.artifactCursor.updateMany({ where: key, data }));
    try {
      if (answer.status === 'rejected') throw answer.reason;
      const news = await unstored(scope, part, answer.value.artifacts);
      const ids = new Set(news.flatMap(({ meetingId }) => (meetingId === null ? [] : [meetingId])));
      const meetings = await meetingsOf(scope, graph, organizerId, [...ids]);
      await makeDue(scope, meetings, [part]);
      await reopen(scope, organizerId, part, hadFailed);
      // Last: a read that broke off reads the same again.
      await store({ deltaLink: answer.value.deltaLink, windowEndsAt: endsAt, failure: Prisma.DbNull });
    } catch (error) {
      if (!(error instanceof GraphRequestError)) throw error;
      const failure = toStoredFailure(error, now);
      await store({ failure: { ...failure } });
      const { code, graphRequestId } = failure;
      const fields = { tenantId: scope.db.tenantId, organizerId, part, outcome: code, graphRequestId };
      tools.logger.warn(fields, '[TeamsMeetings] operation=capture the organizer’s artifacts were not listed');
    }
  }

  return {
    async read(scope, graph, organizerId, everyMs) {
      const turns = await Promise.allSettled(PARTS.map((part) => ask(scope, graph, organizerId, part, everyMs)));
      // One after the other: both make the same meetings due, and would wait for each other's rows.
      for (const turn of turns)
        if (turn.status === 'fulfilled' && turn.value !== null) await take(scope, graph, turn.value);
      for (const turn of turns) if (turn.status === 'rejected') throw turn.reason;
    },

    async tell(scope, graph, organizerId, onlineMeetingId) {
      const meetings = await meetingsOf(scope, graph, organizerId, [onlineMeetingId]);
      await makeDue(scope, meetings, PARTS);
      return meetings.length > 0;
    },
  };
}
