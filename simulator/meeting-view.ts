import { sevenDigits } from './clock.ts';
import type { Json } from './errors.ts';
import type { OnlineMeeting } from './meeting-store.ts';
import type { User, World } from './state.ts';
import { findUser, userKey } from './state.ts';

/** The onlineMeeting as Graph shows it. Source: csdl of onlineMeeting. */
export function meetingView(world: World, meeting: OnlineMeeting): Json {
  const organizer = world.users.get(userKey({ directoryId: meeting.directoryId, id: meeting.organizerId }));
  const { participants: _participants, ...settings } = meeting.settings;
  return {
    id: meeting.id,
    creationDateTime: sevenDigits(meeting.createdAt),
    startDateTime: sevenDigits(meeting.startsAt),
    endDateTime: sevenDigits(meeting.endsAt),
    expiryDateTime: sevenDigits(meeting.expiresAt),
    joinWebUrl: meeting.joinWebUrl,
    subject: meeting.subject,
    meetingType: meeting.isCalendarBacked ? 'scheduled' : 'meetNow',
    meetingTemplateId: null,
    meetingOptionsWebUrl: `https://teams.microsoft.com/meetingOptions/?organizerId=${meeting.organizerId}&tenantId=${meeting.directoryId}`,
    externalId: null,
    videoTeleconferenceId: null,
    isBroadcast: false,
    audioConferencing: null,
    broadcastSettings: null,
    autoAdmittedUsers: 'everyoneInCompany',
    allowedPresenters: 'everyone',
    allowedLobbyAdmitters: 'organizerAndCoOrganizersAndPresenters',
    allowAttendeeToEnableCamera: true,
    allowAttendeeToEnableMic: true,
    allowBreakoutRooms: true,
    allowCopyingAndSharingMeetingContent: true,
    allowLiveShare: 'enabled',
    allowMeetingChat: 'enabled',
    allowPowerPointSharing: true,
    allowParticipantsToChangeName: false,
    allowRecording: true,
    allowTeamworkReactions: true,
    allowTranscription: true,
    allowWhiteboard: true,
    anonymizeIdentityForRoles: [],
    isEndToEndEncryptionEnabled: null,
    isEntryExitAnnounced: false,
    meetingSpokenLanguageTag: null,
    recordAutomatically: false,
    sensitivityLabelAssignment: null,
    shareMeetingChatHistoryDefault: 'none',
    watermarkProtection: null,
    chatInfo: { threadId: meeting.threadId, messageId: '0', replyChainMessageId: null },
    chatRestrictions: null,
    joinInformation: {
      content: `data:text/html,${encodeURIComponent(`<div><a href="${meeting.joinWebUrl}">Join the meeting now</a></div>`)}`,
      contentType: 'html',
    },
    joinMeetingIdSettings: {
      isPasscodeRequired: true,
      joinMeetingId: meeting.joinMeetingId,
      passcode: meeting.passcode,
    },
    lobbyBypassSettings: { scope: 'organization', isDialInBypassEnabled: false },
    ...settings,
    participants: {
      organizer: {
        upn: organizer?.userPrincipalName ?? null,
        role: 'presenter',
        identity: { application: null, device: null, user: identityOf(meeting, meeting.organizerId, organizer) },
      },
      attendees: attendeesOf(world, meeting),
    },
  };
}

function attendeesOf(world: World, meeting: OnlineMeeting): unknown {
  const patched = meeting.settings.participants;
  if (typeof patched === 'object' && patched !== null && 'attendees' in patched) return patched.attendees;
  return meeting.invitedAddresses.map((address) => {
    const user = findUser(world, meeting.directoryId, address);
    return {
      upn: address,
      role: 'presenter',
      identity: {
        application: null,
        device: null,
        user: user === undefined ? null : identityOf(meeting, user.id, user),
      },
    };
  });
}

function identityOf(meeting: OnlineMeeting, id: string, user: User | undefined): Json {
  return { id, displayName: user?.displayName ?? null, tenantId: meeting.directoryId, identityProvider: 'AAD' };
}
