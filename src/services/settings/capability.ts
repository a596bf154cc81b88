import type { UserError } from '../failures.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope } from '../scope.ts';
import type { Settings, SettingsService } from './settings.ts';

export type CapabilityReason =
  | 'NOT_CONFIGURED'
  | 'NOT_ACTIVE'
  | 'NO_MICROSOFT_APP'
  | 'NO_ORGANIZER'
  | 'ORGANIZER_UNRESOLVED';

export interface Capability {
  available: boolean;
  reason: CapabilityReason | null;
  artifactsAvailable: boolean;
  artifactsReason: CapabilityReason | null;
}

/** Why meetings cannot be made, from what is stored; null when they can. Asks Microsoft nothing. */
function missingForMeetings(settings: Settings | null, hasApp: boolean): CapabilityReason | null {
  if (settings === null) return 'NOT_CONFIGURED';
  if (!hasApp) return 'NO_MICROSOFT_APP';
  if (settings.organizerUpn === null) return 'NO_ORGANIZER';
  if (settings.organizerObjectId === null) return 'ORGANIZER_UNRESOLVED';
  if (settings.installStatus !== 'ACTIVE') return 'NOT_ACTIVE';
  return null;
}

const REFUSALS: Record<CapabilityReason, UserError> = {
  NOT_CONFIGURED: {
    code: 'NOT_CONFIGURED',
    message: 'Teams meetings have not been set up.',
    remedy: 'An administrator runs connectMicrosoftApp and updateTeamsSettings.',
  },
  NO_MICROSOFT_APP: {
    code: 'NOT_CONFIGURED',
    message: 'No Microsoft app is connected.',
    remedy: 'An administrator runs connectMicrosoftApp.',
  },
  NO_ORGANIZER: {
    code: 'NOT_CONFIGURED',
    message: 'No meeting organizer is saved.',
    remedy: 'An administrator saves organizerUserPrincipalName in the settings.',
  },
  ORGANIZER_UNRESOLVED: {
    code: 'NOT_CONFIGURED',
    message: 'The meeting organizer has not been found in the directory.',
    remedy: 'An administrator saves the organizer again.',
  },
  NOT_ACTIVE: {
    code: 'NOT_ACTIVE',
    message: 'The Teams integration is not active.',
    remedy: 'An administrator sets installStatus to ACTIVE.',
  },
};

/** The Microsoft 365 user in whose calendar a tenant's new meetings are made. */
export interface Organizer {
  upn: string;
  objectId: string;
  displayName: string | null;
}

export interface CapabilityService {
  get(scope: Scope): Promise<Capability>;
  /** The organizer that new meetings get, or why there can be none. */
  organizer(scope: Scope): Promise<Organizer | UserError>;
}

export function createCapabilityService(
  settings: SettingsService,
  microsoftApp: MicrosoftAppService,
): CapabilityService {
  async function look(scope: Scope) {
    const [current, app] = await Promise.all([settings.find(scope), microsoftApp.find(scope)]);
    return { current, reason: missingForMeetings(current, app !== null) };
  }
  return {
    async get(scope) {
      const { reason } = await look(scope);
      return { available: reason === null, reason, artifactsAvailable: reason === null, artifactsReason: reason };
    },
    async organizer(scope) {
      const { current, reason } = await look(scope);
      if (reason !== null) return REFUSALS[reason];
      return {
        upn: current?.organizerUpn ?? '',
        objectId: current?.organizerObjectId ?? '',
        displayName: current?.organizerDisplayName ?? null,
      };
    },
  };
}
