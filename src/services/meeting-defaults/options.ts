import type { AllowedPresenters, LobbyBypass } from '../../generated/prisma/enums.ts';
import type { GraphMeetingOptions } from '../../graph/types.ts';

/** What a tenant's new meetings are to start with. */
export interface MeetingDefaults {
  recordAutomatically: boolean;
  lobbyBypass: LobbyBypass;
  allowedPresenters: AllowedPresenters;
}

/**
 * What Microsoft gives a meeting by itself: presenters by Microsoft Learn's resources/onlinemeeting, which says that
 * `everyone` is the default; lobby and recording as the global meeting policy comes (docs/meeting-defaults.md). It stands
 * for what nobody chose, and is then not sent, so that a policy of the organizer's stays in force.
 */
export const MICROSOFT_DEFAULTS: MeetingDefaults = {
  recordAutomatically: false,
  lobbyBypass: 'ORGANIZATION',
  allowedPresenters: 'EVERYONE',
};

/** Microsoft Learn: resources/lobbybypasssettings. */
const LOBBY_SCOPES: Record<LobbyBypass, NonNullable<GraphMeetingOptions['lobbyBypassScope']>> = {
  ORGANIZER: 'organizer',
  INVITED: 'invited',
  ORGANIZATION: 'organization',
  EVERYONE: 'everyone',
};

/**
 * Microsoft Learn: resources/onlinemeeting, onlineMeetingPresenters. `roleIsPresenter` is left out: it needs the full list
 * of attendees with the role of each. Settings of earlier releases may still have it.
 */
const PRESENTERS: Partial<Record<AllowedPresenters, GraphMeetingOptions['allowedPresenters']>> = {
  EVERYONE: 'everyone',
  ORGANIZATION: 'organization',
  ORGANIZER: 'organizer',
};

/**
 * The options that are to be sent; null when none. One that somebody chose is sent also where it is Microsoft's own: the
 * organizer's policy may be laxer. One that differs from Microsoft's was chosen, whether or not that was noted.
 *
 * @param chosen names of defaults, as the settings note them
 */
export function optionsToApply(
  defaults: {
    [Field in keyof MeetingDefaults]?: MeetingDefaults[Field] | null;
  },
  chosen: readonly string[],
): GraphMeetingOptions | null {
  function wanted<Field extends keyof MeetingDefaults>(field: Field): MeetingDefaults[Field] | null {
    const value = defaults[field] ?? null;
    return value !== MICROSOFT_DEFAULTS[field] || chosen.includes(field) ? value : null;
  }
  const recordAutomatically = wanted('recordAutomatically');
  const lobbyBypass = wanted('lobbyBypass');
  const allowedPresenters = wanted('allowedPresenters');
  const options: GraphMeetingOptions = {};
  if (recordAutomatically !== null) options.recordAutomatically = recordAutomatically;
  if (lobbyBypass !== null) options.lobbyBypassScope = LOBBY_SCOPES[lobbyBypass];
  const presenters = allowedPresenters === null ? undefined : PRESENTERS[allowedPresenters];
  if (presenters !== undefined) options.allowedPresenters = presenters;
  return Object.keys(options).length === 0 ? null : options;
}
