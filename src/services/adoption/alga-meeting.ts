import { createHash } from 'node:crypto';
import type { AlgaMeeting } from '../../db/alga-source.ts';
import type { StoredFailure } from '../failures.ts';
import { isCancelled, type Meeting } from '../meetings/meeting.ts';
import { checkSubject } from '../meetings/meeting-input.ts';
import { lastingEnd } from '../meetings/sync/event-difference.ts';
import { GUID } from '../microsoft-app/credential.ts';
import type { FindingCode } from './findings.ts';

/** Which of alga-psa's ids the PSA core gives to an appointment. */
export type AppointmentIdSource = 'schedule_entry' | 'appointment_request';

export interface MappingOptions {
  appointmentId: AppointmentIdSource;
  /** Of the tenant's settings. */
  sendsInvites: boolean;
  /** By user principal name in small letters. */
  organizerIds: ReadonlyMap<string, string>;
  now: Date;
}

/** A meeting of the source as it is stored here. The id stays, so that what names it in the PSA still does. */
export interface MappedMeeting {
  id: string;
  appointmentId: string | null;
  interactionId: string | null;
  status: Meeting['status'];
  subject: string;
  startsAt: Date;
  endsAt: Date;
  /** Exactly as the source has it. */
  joinUrl: string | null;
  isCalendarBacked: boolean;
  graphEventId: string | null;
  graphOnlineMeetingId: string | null;
  organizerUpn: string;
  organizerObjectId: string | null;
  sendsInvites: boolean;
  failure: StoredFailure | null;
  /** `now`: something is to be done at Microsoft. `later`: the same, once a person has acted. `nothing`: it is as it should be. */
  toDo: 'now' | 'later' | 'nothing';
  createdBy: string;
  createdAt: Date;
  updatedAt: Date;
}

export type Mapping =
  | { meeting: MappedMeeting; notes: FindingCode[]; refusal?: undefined }
  | { refusal: FindingCode; meeting?: undefined };

type Subject = Pick<MappedMeeting, 'appointmentId' | 'interactionId'>;
type Standing = Pick<MappedMeeting, 'status' | 'toDo'> & { notes: FindingCode[] };

const OVER_AND_DONE = ['ended', 'recording_pending', 'recording_ready', 'no_recording'];
const NO_SUBJECT = 'Teams meeting';
const LONGEST_CODE = 80;

/** What the meeting is for; null when the source does not say. The appointment goes before the interaction. */
function subjectOf(row: AlgaMeeting, source: AppointmentIdSource): Subject | null {
  const appointmentId = source === 'schedule_entry' ? row.scheduleEntryId : row.appointmentRequestId;
  if (appointmentId !== null) return { appointmentId, interactionId: null };
  return row.interactionId === null ? null : { appointmentId: null, interactionId: row.interactionId };
}

/** How a meeting stands that nobody has cancelled and nothing failed with. */
function standingOfActive({ eventId, joinUrl }: AlgaMeeting, isOver: boolean): Standing | FindingCode {
  if (joinUrl !== null) {
    const notes: FindingCode[] = eventId === null ? ['NOT_CALENDAR_BACKED'] : [];
    return { status: 'SCHEDULED', toDo: 'nothing', notes };
  }
  if (eventId === null) return 'NOTHING_MADE';
  if (isOver) return { status: 'SCHEDULED', toDo: 'nothing', notes: ['NO_JOIN_LINK'] };
  return { status: 'PROVISIONING', toDo: 'now', notes: ['NO_JOIN_LINK'] };
}

function standingOf(row: AlgaMeeting, isOver: boolean): Standing | FindingCode {
  const { status, eventId, joinUrl } = row;
  if (status === 'cancelled') return { status: 'CANCELLED', toDo: 'nothing', notes: [] };
  if (status === 'cancel_pending') {
    if (eventId === null) return { status: 'CANCELLED', toDo: 'nothing', notes: [] };
    // Removing the event of a meeting that took place would take its recordings from it.
    if (isOver) return { status: 'CANCELLED', toDo: 'nothing', notes: ['CANCELLED_TOO_LATE'] };
    return { status: 'CANCELLING', toDo: 'now', notes: ['CANCELLATION_PENDING'] };
  }
  if (status === 'failed') {
    if (eventId === null && joinUrl === null) return { status: 'FAILED', toDo: 'nothing', notes: ['HAD_FAILED'] };
    if (eventId === null || isOver) return standingOfActive(row, isOver);
    return { status: 'FAILED', toDo: 'later', notes: ['HAD_FAILED'] };
  }
  if (status !== 'scheduled' && !OVER_AND_DONE.includes(status)) return 'UNKNOWN_STATUS';
  return standingOfActive(row, isOver);
}

function organizerOf(row: AlgaMeeting, ids: MappingOptions['organizerIds']): { upn: string; id: string | null } | null {
  const upn = row.organizerUpn ?? row.organizerUserId;
  if (upn === null) return null;
  const id =
    row.organizerUserId !== null && GUID.test(row.organizerUserId) ? row.organizerUserId : ids.get(upn.toLowerCase());
  return { upn, id: id?.toLowerCase() ?? null };
}

function failureOf(row: AlgaMeeting): StoredFailure {
  const code = (row.errorCode ?? 'no code').replace(/\p{Cc}+/gu, ' ').slice(0, LONGEST_CODE);
  return {
    code: 'GRAPH_UNAVAILABLE',
    message: `It had failed in alga-psa (${code}) before it was taken over.`,
    remedy:
      row.eventId === null
        ? 'Create the meeting again where it is still wanted.'
        : 'Use retryTeamsMeeting once the Microsoft app is connected.',
    occurredAt: row.updatedAt.toISOString(),
    graphRequestId: null,
  };
}

/** What a row of the source becomes here, or why it becomes nothing. */
export function mapMeeting(
  row: AlgaMeeting,
  { appointmentId, sendsInvites, organizerIds, now }: MappingOptions,
): Mapping {
  if (row.provider !== 'teams') return { refusal: 'OTHER_PROVIDER' };
  const subject = subjectOf(row, appointmentId);
  if (subject === null) return { refusal: 'NO_APPOINTMENT' };
  const organizer = organizerOf(row, organizerIds);
  if (organizer === null) return { refusal: 'NO_ORGANIZER' };
  if (row.endsAt < row.startsAt) return { refusal: 'ENDS_BEFORE_START' };
  const standing = standingOf(row, row.endsAt <= now);
  if (typeof standing === 'string') return { refusal: standing };

  const { status, toDo } = standing;
  const isOff = isCancelled({ status });
  const title = checkSubject(row.subject ?? '').subject;
  const notes = [...standing.notes];
  if (organizer.id === null && !isOff) notes.push('ORGANIZER_UNRESOLVED');
  if (subject.appointmentId !== null && row.interactionId !== null) notes.push('INTERACTION_LEFT');
  if (title === '') notes.push('SUBJECT_MADE_UP');
  return {
    notes,
    meeting: {
      ...subject,
      id: row.id,
      status,
      toDo,
      subject: title || NO_SUBJECT,
      startsAt: row.startsAt,
      endsAt: lastingEnd(row),
      joinUrl: isOff ? null : row.joinUrl,
      isCalendarBacked: row.eventId !== null || row.joinUrl === null,
      graphEventId: row.eventId,
      graphOnlineMeetingId: row.onlineMeetingId,
      organizerUpn: organizer.upn,
      organizerObjectId: organizer.id,
      sendsInvites,
      failure: status === 'FAILED' ? failureOf(row) : null,
      createdBy: row.createdBy ?? 'import',
      createdAt: row.createdAt,
      updatedAt: row.updatedAt,
    },
  };
}

/** Whether the meeting counts as the one of its appointment or interaction. */
export function isActive({ status }: Pick<MappedMeeting, 'status'>): boolean {
  return !isCancelled({ status });
}

/** What an earlier import has made of a meeting that is active here; null when it has not stored it, or it is over with. */
export type Standings = (meeting: MappedMeeting) => 'wanted' | 'failed' | null;

/**
 * Of several for one thing: what is here already, exists at Microsoft, is still to come, is in the calendar, and was made
 * last. What is here without ever having been made goes only before others of its kind.
 */
function precedes(a: MappedMeeting, b: MappedMeeting, now: Date, here: Standings): number {
  const ranks = (one: MappedMeeting) => [
    Number(here(one) === 'wanted'),
    Number(one.graphEventId !== null || one.joinUrl !== null),
    Number(here(one) === 'failed'),
    Number(one.endsAt > now),
    Number(one.graphEventId !== null),
    one.createdAt.getTime(),
  ];
  const [mine, others] = [ranks(a), ranks(b)];
  const index = mine.findIndex((rank, at) => rank !== others[at]);
  if (index === -1) return a.id < b.id ? -1 : 1;
  return (others[index] ?? 0) - (mine[index] ?? 0);
}

/** The live one of active meetings for one thing; null without any. */
export function liveOf(
  rivals: readonly MappedMeeting[],
  now: Date,
  here: Standings = () => null,
): MappedMeeting | null {
  return rivals.toSorted((a, b) => precedes(a, b, now, here))[0] ?? null;
}

/** Names what the source says of a meeting and what it belongs to here; how far its recordings are is no part of it. */
export function fingerprintOf(row: AlgaMeeting, { appointmentId, interactionId }: Subject): string {
  const { updatedAt: _at, ...said } = row;
  const status = OVER_AND_DONE.includes(row.status) ? 'scheduled' : row.status;
  const text = JSON.stringify([{ ...said, status }, appointmentId, interactionId]);
  return createHash('sha256').update(text).digest('base64url');
}
