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
 * `everyone` is the default; lobby and recording as the global meeting policy comes (docs/meeting-defaults.md). A default
 * that equals it is not sent, so that a policy of the organizer's stays in force.
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

/** The options by which the defaults differ from Microsoft's own; null when by none. What is left out is Microsoft's. */
export function optionsToApply(
  defaults: {
    [Field in keyof MeetingDefaults]?: MeetingDefaults[Field] | null;
  },
): GraphMeetingOptions | null {
  const { recordAutomatically, lobbyBypass, allowedPresenters } = defaults;
  const options: GraphMeetingOptions = {};
  if (recordAutomatically) options.recordAutomatically = true;
  if (lobbyBypass && lobbyBypass !== MICROSOFT_DEFAULTS.lobbyBypass)
    options.lobbyBypassScope = LOBBY_SCOPES[lobbyBypass];
  const presenters = allowedPresenters ? PRESENTERS[allowedPresenters] : undefined;
  if (presenters && allowedPresenters !== MICROSOFT_DEFAULTS.allowedPresenters) options.allowedPresenters = presenters;
  return Object.keys(options).length === 0 ? null : options;
}
