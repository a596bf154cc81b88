import { badRequest, GraphFailure, teamsForbidden, teamsNotFound } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, jsonBody, option } from './graph-call.ts';
import { isMeetingIdShape } from './ids.ts';
import { readMeetingInput } from './meeting-input.ts';
import type { OnlineMeeting } from './meeting-store.ts';
import { extendExpiry, removeMeeting } from './meeting-store.ts';
import { meetingView } from './meeting-view.ts';
import { newMeeting } from './meetings.ts';
import { parseFilter, select } from './odata.ts';
import type { Answer } from './serve.ts';

const HOUR_MS = 3_600_000;

/** `GET /users/{id}/onlineMeetings?$filter=…`: by JoinWebUrl or joinMeetingId only. Source: onlinemeeting-get. */
export function findMeetings(call: UserCall): Answer {
  const filter = option(call, '$filter');
  if (filter === undefined)
    throw badRequest('A $filter on JoinWebUrl or joinMeetingIdSettings/joinMeetingId is required.');
  const [comparison, ...more] = parseFilter(filter) ?? [];
  const store = {
    joinweburl: call.world.meetings.byJoinUrl,
    'joinmeetingidsettings/joinmeetingid': call.world.meetings.byJoinMeetingId,
  }[comparison?.property ?? ''];
  if (store === undefined || comparison?.operator !== 'eq' || more.length > 0) {
    throw badRequest('Invalid filter clause.');
  }
  const meeting = store.get(comparison.value);
  if (meeting === undefined || meeting.directoryId !== call.directory.id) return miss(call);
  if (meeting.organizerId !== call.user.id) throw teamsForbidden('3003: User does not have access to lookup meeting');
  return foundMeetings(call, [meeting]);
}

/** `GET /users/{id}/onlineMeetings/{id}`: for the organizer and for invited users. */
export function getMeeting(call: UserCall): Answer {
  return meetingAnswer(call, 200, meetingInPath(call, 'organizerAndInvited'));
}

/** `POST /users/{id}/onlineMeetings`: a standalone meeting without calendar entry; 201. */
export function createMeeting(call: UserCall): Answer {
  const input = readMeetingInput(jsonBody(call), 'create');
  if (!call.user.teamsEnabled) throw teamsForbidden('An error has occurred.');
  const startsAt = input.startsAt ?? call.now;
  const meeting = newMeeting(call.world, call.user, {
    subject: input.subject ?? null,
    startsAt,
    endsAt: input.endsAt ?? new Date(startsAt.getTime() + HOUR_MS),
    isCalendarBacked: false,
    invitedAddresses: [],
  });
  const { joinMeetingIdSettings: _joinMeetingIdSettings, chatInfo: _chatInfo, ...settings } = input.settings;
  meeting.settings = settings;
  return meetingAnswer(call, 201, meeting);
}

/** `PATCH /users/{id}/onlineMeetings/{id}`: 200. Never changes the calendar event. Source: onlinemeeting-update. */
export function updateMeeting(call: UserCall): Answer {
  const input = readMeetingInput(jsonBody(call), 'update');
  const meeting = meetingInPath(call, 'organizer');
  meeting.startsAt = input.startsAt ?? meeting.startsAt;
  meeting.endsAt = input.endsAt ?? meeting.endsAt;
  if (input.subject !== undefined) meeting.subject = input.subject;
  const { lobbyBypassSettings, ...settings } = input.settings;
  Object.assign(meeting.settings, settings);
  // A part of a complex property leaves its other parts alone.
  if (typeof lobbyBypassSettings === 'object') {
    const { lobbyBypassSettings: before } = meetingView(call.world, meeting);
    meeting.settings.lobbyBypassSettings = { ...(typeof before === 'object' ? before : {}), ...lobbyBypassSettings };
  }
  extendExpiry(meeting, call.now);
  return meetingAnswer(call, 200, meeting);
}

/** `DELETE /users/{id}/onlineMeetings/{id}`: 204. */
export function deleteMeeting(call: UserCall): Answer {
  removeMeeting(call.world.meetings, meetingInPath(call, 'organizer'));
  return { status: 204 };
}

/**
 * The meeting whose id stands in the path. Throws 400 for an id that is none, and 404 for one that is unknown or not
 * this user's. Texts of the 404s are not documented by Microsoft.
 */
export function meetingInPath(call: UserCall, readers: 'organizer' | 'organizerAndInvited'): OnlineMeeting {
  const id = call.params.meeting ?? '';
  if (!isMeetingIdShape(id)) throw badRequest(`Invalid meeting id ${id}.`);
  const meeting = call.world.meetings.byId.get(id);
  if (meeting === undefined || meeting.directoryId !== call.directory.id) {
    throw teamsNotFound('The requested meeting was not found.');
  }
  const invited = [call.user.mail, call.user.userPrincipalName].some(
    (address) => address !== null && meeting.invitedAddresses.includes(address.toLowerCase()),
  );
  if (meeting.organizerId !== call.user.id && !(invited && readers === 'organizerAndInvited')) {
    throw teamsNotFound(`Organizer Id mismatch User Id: ${call.user.id}`);
  }
  return meeting;
}

function miss(call: UserCall): Answer {
  if (call.world.behaviour.joinUrlMiss === 'empty') return foundMeetings(call, []);
  throw new GraphFailure(404, 'NotFound', 'The requested meeting was not found.');
}

function foundMeetings(call: UserCall, meetings: OnlineMeeting[]): Answer {
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, `users('${call.user.id}')/onlineMeetings`),
      value: meetings.map((meeting) => select(call, meetingView(call.world, meeting), 'onlineMeeting', ['id'])),
    },
  };
}

function meetingAnswer(call: UserCall, status: number, meeting: OnlineMeeting): Answer {
  const path = `users('${call.user.id}')/onlineMeetings`;
  return {
    status,
    headers: status === 201 ? { location: `${call.baseUrl}/v1.0/${path}('${encodeURIComponent(meeting.id)}')` } : {},
    body: {
      '@odata.context': contextUrl(call, `${path}/$entity`),
      ...select(call, meetingView(call.world, meeting), 'onlineMeeting', ['id']),
    },
  };
}
