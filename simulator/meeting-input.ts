import type { Json } from './errors.ts';
import { badRequest } from './errors.ts';

/** What a create or update of an onlineMeeting says; absent fields were not sent. */
export interface MeetingInput {
  subject?: string | null;
  startsAt?: Date;
  endsAt?: Date;
  /** Everything else, kept as it came. */
  settings: Json;
}

/** Settings with the values they take; `any` is checked by its own rule or not at all. Sources: onlinemeeting-update, csdl. */
const SETTINGS: Readonly<Record<string, readonly string[] | 'boolean' | 'string' | 'any'>> = {
  allowAttendeeToEnableCamera: 'boolean',
  allowAttendeeToEnableMic: 'boolean',
  allowBreakoutRooms: 'boolean',
  allowCopyingAndSharingMeetingContent: 'boolean',
  allowLiveShare: ['enabled', 'disabled'],
  allowMeetingChat: ['enabled', 'disabled', 'limited'],
  allowPowerPointSharing: 'boolean',
  allowRecording: 'boolean',
  allowTeamworkReactions: 'boolean',
  allowTranscription: 'boolean',
  allowWhiteboard: 'boolean',
  allowedLobbyAdmitters: ['organizerAndCoOrganizersAndPresenters', 'organizerAndCoOrganizers'],
  allowedPresenters: ['everyone', 'organization', 'roleIsPresenter', 'organizer'],
  anonymizeIdentityForRoles: 'any',
  isEndToEndEncryptionEnabled: 'boolean',
  isEntryExitAnnounced: 'boolean',
  lobbyBypassSettings: 'any',
  meetingSpokenLanguageTag: 'string',
  participants: 'any',
  recordAutomatically: 'boolean',
  sensitivityLabelAssignment: 'any',
  watermarkProtection: 'any',
};
const CREATE_ONLY = new Set(['joinMeetingIdSettings', 'externalId', 'meetingTemplateId', 'chatInfo', 'isBroadcast']);
const LOBBY_SCOPES = [
  'organizer',
  'organization',
  'organizationAndFederated',
  'everyone',
  'invited',
  'organizationExcludingGuests',
];

/** Reads the JSON of an onlineMeeting. Throws 400 for an unknown property, a bad value, or one time without the other. */
export function readMeetingInput(json: Json, purpose: 'create' | 'update'): MeetingInput {
  const input: MeetingInput = { settings: {} };
  for (const [name, value] of Object.entries(json)) {
    if (name.includes('@')) continue;
    if (name === 'subject') input.subject = value === null ? null : String(value);
    else if (name === 'startDateTime') input.startsAt = readTime(name, value);
    else if (name === 'endDateTime') input.endsAt = readTime(name, value);
    else input.settings[name] = readSetting(name, value, purpose);
  }
  checkPresenters(input.settings);
  if (purpose === 'update' && (input.startsAt === undefined) !== (input.endsAt === undefined)) {
    throw badRequest('Both startDateTime and endDateTime must be specified to change the time of an online meeting.');
  }
  if (input.startsAt !== undefined && input.endsAt !== undefined && input.endsAt < input.startsAt) {
    throw badRequest('The endDateTime must not be earlier than the startDateTime.');
  }
  return input;
}

function readSetting(name: string, value: unknown, purpose: 'create' | 'update'): unknown {
  if (purpose === 'create' && CREATE_ONLY.has(name)) return value;
  const rule = SETTINGS[name];
  if (rule === undefined) {
    throw badRequest(
      CREATE_ONLY.has(name)
        ? `The property '${name}' cannot be updated.`
        : `The property '${name}' does not exist on type 'microsoft.graph.onlineMeeting'.`,
    );
  }
  const good =
    rule === 'any' ||
    (rule === 'boolean' || rule === 'string' ? typeof value === rule : rule.some((one) => one === value));
  if (!good) throw badRequest(`Invalid value for property '${name}'.`);
  if (name === 'lobbyBypassSettings') checkLobby(value);
  if (name === 'participants' && typeof value === 'object' && value !== null && 'organizer' in value) {
    throw badRequest('The organizer of an online meeting cannot be set or changed.');
  }
  return value;
}

function checkLobby(value: unknown): void {
  const isGood =
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(
      ([name, setting]: [string, unknown]) =>
        name.includes('@') ||
        (name === 'scope' && LOBBY_SCOPES.some((one) => one === setting)) ||
        (name === 'isDialInBypassEnabled' && typeof setting === 'boolean'),
    );
  if (!isGood) throw badRequest("Invalid value for property 'lobbyBypassSettings'.");
}

/**
 * `roleIsPresenter` needs the full list of attendees, those with the role of presenter among them (onlinemeeting-update).
 * How Graph answers without it is not documented: 400 is assumed.
 */
function checkPresenters({ allowedPresenters, participants }: Json): void {
  if (allowedPresenters !== 'roleIsPresenter') return;
  const hasAttendees =
    typeof participants === 'object' &&
    participants !== null &&
    'attendees' in participants &&
    Array.isArray(participants.attendees) &&
    participants.attendees.length > 0;
  if (!hasAttendees) throw badRequest("The list of attendees is required when allowedPresenters is 'roleIsPresenter'.");
}

function readTime(name: string, value: unknown): Date {
  const text = typeof value === 'string' ? value : '';
  const time = new Date(text);
  if (!/T.*(Z|[+-]\d{2}:\d{2})$/.test(text) || Number.isNaN(time.getTime())) {
    throw badRequest(`Cannot convert the literal '${text}' of '${name}' to the expected type 'Edm.DateTimeOffset'.`);
  }
  return time;
}
