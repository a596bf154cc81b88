import type { AlgaMeeting, AlgaSource } from '../../db/alga-source.ts';
import type { Scope } from '../scope.ts';
import { type Incoming, subjectKey } from './adopt-meetings.ts';
import {
  isActive,
  liveOf,
  type MappedMeeting,
  type MappingOptions,
  mapMeeting,
  type Standings,
} from './alga-meeting.ts';
import type { FindingCode } from './findings.ts';

/** A row that is not taken, and why. */
export interface Refused {
  row: AlgaMeeting;
  code: FindingCode;
  detail?: Record<string, string>;
}

type Kept = Map<string, { subject: string; standing: 'wanted' | 'failed' }>;

/** What an earlier import has stored of these, and is still the meeting of its appointment or interaction here. */
async function keptOf(scope: Scope, ids: string[]): Promise<Kept> {
  if (ids.length === 0) return new Map();
  const found = await scope.db.run((prisma) =>
    prisma.adoptedMeeting.findMany({
      where: { meetingId: { in: ids }, meeting: { status: { notIn: ['CANCELLED', 'CANCELLING'] } } },
      select: { meeting: true },
    }),
  );
  return new Map(
    found.map(({ meeting }) => {
      const isNothing = meeting.status === 'FAILED' && meeting.graphEventId === null && meeting.joinUrl === null;
      return [meeting.id, { subject: subjectKey(meeting), standing: isNothing ? 'failed' : 'wanted' }];
    }),
  );
}

/** The rivals by what only one of them may have. */
function groupsOf(rivals: readonly MappedMeeting[]) {
  return {
    subject: Map.groupBy(rivals, subjectKey),
    event: Map.groupBy(rivals, ({ graphEventId }) => graphEventId),
  };
}

/**
 * What can be taken of a batch, and what cannot: also for the sake of rows of other batches, which may be the live ones.
 * What an earlier import has taken stays the live one: people have its link, and it is what the PSA shows.
 */
export async function sortOut(
  scope: Scope,
  source: AlgaSource,
  rows: readonly AlgaMeeting[],
  mapping: MappingOptions,
): Promise<{ incoming: Incoming[]; refused: Refused[] }> {
  const ids = (values: (string | null)[]) => values.filter((value) => value !== null);
  const isByEntry = mapping.appointmentId === 'schedule_entry';
  const claimants = await source.claimants(scope.db.tenantId, {
    scheduleEntryIds: isByEntry ? ids(rows.map(({ scheduleEntryId }) => scheduleEntryId)) : [],
    appointmentRequestIds: isByEntry ? [] : ids(rows.map(({ appointmentRequestId }) => appointmentRequestId)),
    interactionIds: ids(rows.map(({ interactionId }) => interactionId)),
    eventIds: ids(rows.map(({ eventId }) => eventId)),
  });
  const groups = groupsOf(claimants.flatMap((row) => mapMeeting(row, mapping).meeting ?? []).filter(isActive));
  const contested = [...groups.subject.values(), ...groups.event.values()].filter(({ length }) => length > 1);
  const kept = await keptOf(scope, [...new Set(contested.flat().map(({ id }) => id))]);
  const ofSubject: Standings = (one) => {
    const here = kept.get(one.id);
    // What the source has given to another appointment since has no first right to that one.
    return here?.subject === subjectKey(one) ? here.standing : null;
  };
  const ofEvent: Standings = ({ id }) => kept.get(id)?.standing ?? null;

  const incoming: Incoming[] = [];
  const refused: Refused[] = [];
  for (const row of rows) {
    const mapped = mapMeeting(row, mapping);
    if (mapped.meeting === undefined) {
      refused.push({ row, code: mapped.refusal });
      continue;
    }
    const { meeting, notes } = mapped;
    const { graphEventId } = meeting;
    const live = [
      liveOf(groups.subject.get(subjectKey(meeting)) ?? [], mapping.now, ofSubject),
      graphEventId === null ? null : liveOf(groups.event.get(graphEventId) ?? [], mapping.now, ofEvent),
    ].find((one) => one !== null && one.id !== meeting.id);
    if (isActive(meeting) && live) refused.push({ row, code: 'DUPLICATE', detail: { liveMeetingId: live.id } });
    else incoming.push({ row, meeting, notes });
  }
  return { incoming, refused };
}
