import { getAttendanceReport, listAttendanceRecords, listAttendanceReports } from './attendance.ts';
import { getCalendar } from './calendar.ts';
import { calendarDelta } from './calendar-delta.ts';
import { listCalendarView } from './calendar-view.ts';
import { cancelEvent, createEvent, deleteEvent, getEvent, listEvents, updateEvent } from './events.ts';
import type { Area, GraphRoute, UserRoute } from './graph-call.ts';
import { createMeeting, deleteMeeting, findMeetings, getMeeting, updateMeeting } from './online-meetings.ts';
import { getRecording, getRecordingContent, listAllRecordings, listRecordings, recordingDelta } from './recordings.ts';
import type { User } from './state.ts';
import {
  createSubscription,
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  reauthorizeSubscription,
  updateSubscription,
} from './subscriptions.ts';
import {
  getTranscript,
  getTranscriptContent,
  getTranscriptMetadataContent,
  listAllTranscripts,
  listTranscripts,
  transcriptDelta,
} from './transcripts.ts';
import { getUser } from './users.ts';

const USERS = ['User.ReadBasic.All', 'User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All'];
const CALENDAR_READ = ['Calendars.ReadBasic', 'Calendars.ReadBasic.All', 'Calendars.Read', 'Calendars.ReadWrite'];
const CALENDAR_WRITE = ['Calendars.ReadWrite'];
const MEETING_READ = ['OnlineMeetings.Read.All', 'OnlineMeetings.ReadWrite.All'];
const MEETING_WRITE = ['OnlineMeetings.ReadWrite.All'];
const RECORDING_READ = ['OnlineMeetingRecording.Read.All'];
const TRANSCRIPT_READ = ['OnlineMeetingTranscript.Read.All'];
const ATTENDANCE_READ = ['OnlineMeetingArtifact.Read.All'];

const EVENTS = ['users/{user}/events', 'users/{user}/calendar/events'];
const CALENDAR_VIEWS = ['users/{user}/calendarView', 'users/{user}/calendar/calendarView'];
const MEETINGS = 'users/{user}/onlineMeetings';
const RECORDINGS = `${MEETINGS}/{meeting}/recordings`;
const TRANSCRIPTS = `${MEETINGS}/{meeting}/transcripts`;
const ATTENDANCE_REPORTS = `${MEETINGS}/{meeting}/attendanceReports`;

function transcriptPolicyText(user: User): string {
  return (
    `Application is not allowed to perform operations on the user '${user.id}', neither is allowed access through RSC ` +
    'permission evaluation.'
  );
}

function route(
  method: UserRoute['method'],
  path: string,
  area: Area,
  roles: readonly string[],
  handle: UserRoute['handle'],
): UserRoute {
  return { method, path, area, roles, handle };
}

/** Every address of Graph that the simulator serves, with the app roles of Microsoft's permission tables. */
export const routes: readonly GraphRoute[] = [
  route('GET', 'users/{user}', 'directory', USERS, getUser),
  route('GET', 'users/{user}/calendar', 'exchange', CALENDAR_READ, getCalendar),
  ...EVENTS.flatMap((events) => [
    route('GET', events, 'exchange', CALENDAR_READ, listEvents),
    route('POST', events, 'exchange', CALENDAR_WRITE, createEvent),
    route('GET', `${events}/{event}`, 'exchange', CALENDAR_READ, getEvent),
    route('PATCH', `${events}/{event}`, 'exchange', CALENDAR_WRITE, updateEvent),
    route('DELETE', `${events}/{event}`, 'exchange', CALENDAR_WRITE, deleteEvent),
    route('POST', `${events}/{event}/cancel`, 'exchange', CALENDAR_WRITE, cancelEvent),
  ]),
  ...CALENDAR_VIEWS.flatMap((view) => [
    route('GET', view, 'exchange', CALENDAR_READ, listCalendarView),
    route('GET', `${view}/delta`, 'exchange', CALENDAR_READ, calendarDelta),
  ]),
  route('GET', MEETINGS, 'onlineMeetings', MEETING_READ, findMeetings),
  route('POST', MEETINGS, 'onlineMeetings', MEETING_WRITE, createMeeting),
  // Before the meetings: a function's name looks like an id.
  route('GET', `${MEETINGS}/getAllRecordings()`, 'onlineMeetings', RECORDING_READ, listAllRecordings),
  route('GET', `${MEETINGS}/getAllRecordings()/delta`, 'onlineMeetings', RECORDING_READ, recordingDelta),
  route('GET', `${MEETINGS}/getAllTranscripts()`, 'onlineMeetings', TRANSCRIPT_READ, listAllTranscripts),
  route('GET', `${MEETINGS}/getAllTranscripts()/delta`, 'onlineMeetings', TRANSCRIPT_READ, transcriptDelta),
  route('GET', `${MEETINGS}/{meeting}`, 'onlineMeetings', MEETING_READ, getMeeting),
  route('PATCH', `${MEETINGS}/{meeting}`, 'onlineMeetings', MEETING_WRITE, updateMeeting),
  route('DELETE', `${MEETINGS}/{meeting}`, 'onlineMeetings', MEETING_WRITE, deleteMeeting),
  route('GET', RECORDINGS, 'onlineMeetings', RECORDING_READ, listRecordings),
  route('GET', `${RECORDINGS}/{artifact}`, 'onlineMeetings', RECORDING_READ, getRecording),
  route('GET', `${RECORDINGS}/{artifact}/content`, 'onlineMeetings', RECORDING_READ, getRecordingContent),
  route('GET', ATTENDANCE_REPORTS, 'onlineMeetings', ATTENDANCE_READ, listAttendanceReports),
  route('GET', `${ATTENDANCE_REPORTS}/{report}`, 'onlineMeetings', ATTENDANCE_READ, getAttendanceReport),
  route(
    'GET',
    `${ATTENDANCE_REPORTS}/{report}/attendanceRecords`,
    'onlineMeetings',
    ATTENDANCE_READ,
    listAttendanceRecords,
  ),
  route('GET', TRANSCRIPTS, 'onlineMeetings', TRANSCRIPT_READ, listTranscripts),
  route('GET', `${TRANSCRIPTS}/{artifact}`, 'onlineMeetings', TRANSCRIPT_READ, getTranscript),
  {
    ...route('GET', `${TRANSCRIPTS}/{artifact}/content`, 'onlineMeetings', TRANSCRIPT_READ, getTranscriptContent),
    policyText: transcriptPolicyText,
  },
  {
    ...route(
      'GET',
      `${TRANSCRIPTS}/{artifact}/metadataContent`,
      'onlineMeetings',
      TRANSCRIPT_READ,
      getTranscriptMetadataContent,
    ),
    policyText: transcriptPolicyText,
  },
  { method: 'POST', path: 'subscriptions', area: 'app', handle: createSubscription },
  { method: 'GET', path: 'subscriptions', area: 'app', handle: listSubscriptions },
  { method: 'GET', path: 'subscriptions/{subscription}', area: 'app', handle: getSubscription },
  { method: 'PATCH', path: 'subscriptions/{subscription}', area: 'app', handle: updateSubscription },
  { method: 'DELETE', path: 'subscriptions/{subscription}', area: 'app', handle: deleteSubscription },
  { method: 'POST', path: 'subscriptions/{subscription}/reauthorize', area: 'app', handle: reauthorizeSubscription },
];
