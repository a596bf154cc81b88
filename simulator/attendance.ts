import { randomUUID } from 'node:crypto';
import { artifactMeeting } from './artifacts.ts';
import { sevenDigits } from './clock.ts';
import type { MeetingTookPlaceInput, ParticipantInput, Utterance } from './control-types.ts';
import type { Json } from './errors.ts';
import { badRequest, teamsNotFound } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import type { AttendanceReport, OnlineMeeting } from './meeting-store.ts';
import { select } from './odata.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';
import type { World } from './state.ts';
import { userKey } from './state.ts';

const PAGE_SIZE = 100;
/** Only about so many are kept, it is said; not documented. */
const KEPT_REPORTS = 50;

/** `GET …/onlineMeetings/{id}/attendanceReports`: without records, newest last. Source: csdl of meetingAttendanceReport. */
export function listAttendanceReports(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  const reports = meeting.attendanceReports.filter((report) => report.availableAt <= call.now).slice(-KEPT_REPORTS);
  return collection(call, meeting, 'attendanceReports', reports, (report) =>
    select(call, reportView(report), 'meetingAttendanceReport', ['id']),
  );
}

/** `GET …/attendanceReports/{id}`, with the records when they are expanded. */
export function getAttendanceReport(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  const report = reportInPath(call, meeting);
  const expand = option(call, '$expand');
  if (expand !== undefined && expand.toLowerCase() !== 'attendancerecords') {
    throw badRequest(`Parsing OData Select and Expand failed: Could not find a property named '${expand}'.`);
  }
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, `${context(call, meeting)}/attendanceReports/$entity`),
      ...select(call, reportView(report), 'meetingAttendanceReport', ['id']),
      ...(expand === undefined ? {} : { attendanceRecords: recordViews(meeting, report) }),
    },
  };
}

/** `GET …/attendanceReports/{id}/attendanceRecords`. */
export function listAttendanceRecords(call: UserCall): Answer {
  const meeting = artifactMeeting(call, 'organizer');
  const report = reportInPath(call, meeting);
  const path = `attendanceReports('${report.id}')/attendanceRecords`;
  return collection(call, meeting, path, recordViews(meeting, report), (record) => record);
}

/** The report of a call: of the given participants, else of those who spoke, each there from beginning to end. */
export function attendanceReport(
  world: World,
  meeting: OnlineMeeting,
  input: MeetingTookPlaceInput,
  call: { startedAt: Date; durationMs: number; utterances: Utterance[] },
): AttendanceReport {
  const organizer = world.users.get(userKey({ directoryId: meeting.directoryId, id: meeting.organizerId }));
  const speakers = [...new Set(call.utterances.map(({ speaker }) => speaker))];
  const participants: ParticipantInput[] =
    input.participants ??
    speakers.map((name) =>
      name === organizer?.displayName
        ? { name, emailAddress: organizer.mail, role: 'Organizer', userId: organizer.id }
        : { name },
    );
  return {
    id: randomUUID(),
    startedAt: call.startedAt,
    endedAt: new Date(call.startedAt.getTime() + call.durationMs),
    availableAt:
      input.availableAfterSeconds === undefined
        ? new Date(0)
        : new Date(call.startedAt.getTime() + call.durationMs + input.availableAfterSeconds * 1000),
    participants: participants.map((one) => ({
      id: randomUUID(),
      name: one.name,
      emailAddress: one.emailAddress ?? null,
      role: one.role ?? 'Attendee',
      userId: one.userId ?? null,
      seconds: one.seconds ?? Math.round(call.durationMs / 1000),
    })),
  };
}

function reportInPath(call: UserCall, meeting: OnlineMeeting): AttendanceReport {
  const report = meeting.attendanceReports.find(
    ({ id, availableAt }) => id === call.params.report && availableAt <= call.now,
  );
  if (report === undefined) throw teamsNotFound('The requested resource was not found.');
  return report;
}

function reportView(report: AttendanceReport): Json {
  return {
    id: report.id,
    totalParticipantCount: report.participants.length,
    meetingStartDateTime: sevenDigits(report.startedAt),
    meetingEndDateTime: sevenDigits(report.endedAt),
    externalEventInformation: [],
  };
}

function recordViews(meeting: OnlineMeeting, report: AttendanceReport): Json[] {
  return report.participants.map((participant) => ({
    id: participant.id,
    emailAddress: participant.emailAddress,
    totalAttendanceInSeconds: participant.seconds,
    role: participant.role,
    identity: {
      id: participant.userId,
      displayName: participant.name,
      tenantId: participant.userId === null ? null : meeting.directoryId,
    },
    attendanceIntervals: [
      {
        joinDateTime: sevenDigits(report.startedAt),
        leaveDateTime: sevenDigits(new Date(report.startedAt.getTime() + participant.seconds * 1000)),
        durationInSeconds: participant.seconds,
      },
    ],
  }));
}

function collection<Item>(
  call: UserCall,
  meeting: OnlineMeeting,
  path: string,
  all: Item[],
  view: (item: Item) => Json,
): Answer {
  const page = pageOf(call, all, PAGE_SIZE);
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, `${context(call, meeting)}/${path}`),
      value: page.items.map(view),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

function context(call: UserCall, meeting: OnlineMeeting): string {
  return `users('${call.user.id}')/onlineMeetings('${encodeURIComponent(meeting.id)}')`;
}
