import {
  classicJoinUrl,
  meetingIdOf,
  newConferenceId,
  newJoinMeetingId,
  newPasscode,
  newThreadId,
  shortJoinUrl,
} from './ids.ts';
import type { OnlineMeeting } from './meeting-store.ts';
import { addMeeting, extendExpiry } from './meeting-store.ts';
import type { User, World } from './state.ts';

/** Makes a Teams meeting in the organizer's name and stores it. */
export function newMeeting(
  world: World,
  organizer: User,
  given: Pick<OnlineMeeting, 'subject' | 'startsAt' | 'endsAt' | 'isCalendarBacked' | 'invitedAddresses'>,
): OnlineMeeting {
  const threadId = newThreadId();
  const joinMeetingId = newJoinMeetingId();
  const passcode = newPasscode();
  const meeting: OnlineMeeting = {
    ...given,
    id: meetingIdOf(organizer.id, threadId),
    directoryId: organizer.directoryId,
    organizerId: organizer.id,
    threadId,
    joinWebUrl:
      organizer.joinUrlFormat === 'short'
        ? shortJoinUrl(joinMeetingId, passcode)
        : classicJoinUrl(threadId, organizer.directoryId, organizer.id),
    joinMeetingId,
    passcode,
    conferenceId: newConferenceId(),
    createdAt: world.clock.now(),
    expiresAt: new Date(0),
    settings: {},
    recordings: [],
    transcripts: [],
    attendanceReports: [],
    removedArtifactIds: new Set(),
  };
  extendExpiry(meeting, meeting.createdAt);
  addMeeting(world.meetings, meeting);
  return meeting;
}
