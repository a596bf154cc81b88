import type { TeamsIntegration } from '../../generated/prisma/client.ts';
import { invalid, toUnreadable, toUserError, type UserError } from '../failures.ts';
import type { ConnectedMicrosoftApp, MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import type { Scope, ServiceTools } from '../scope.ts';

export type OrganizerFields = Pick<
  TeamsIntegration,
  'organizerUpn' | 'organizerObjectId' | 'organizerDisplayName' | 'organizerResolvedAt'
>;

export const NO_ORGANIZER: OrganizerFields = {
  organizerUpn: null,
  organizerObjectId: null,
  organizerDisplayName: null,
  organizerResolvedAt: null,
};

/** An organizer as the directory knows it, and the app that asked: of another app's directory the id says nothing. */
export interface ResolvedOrganizer {
  fields: OrganizerFields;
  foundBy: AppIdentity;
}

export type AppIdentity = Pick<ConnectedMicrosoftApp, 'clientId' | 'directoryId' | 'cloud'>;

const PATH = ['input', 'organizerUserPrincipalName'];

/** A user principal name, as far as its form can tell. */
export const ORGANIZER_NAME = /^[^\s@]+@[^\s@]+$/;

export function isSameApp(a: AppIdentity, b: AppIdentity | null): boolean {
  return a.clientId === b?.clientId && a.directoryId === b.directoryId && a.cloud === b.cloud;
}

/** For who saved an organizer while somebody else connected another app. */
export function appChanged(): UserError {
  return {
    code: 'CONFLICT',
    message: 'Another Microsoft app was connected while the organizer was looked up.',
    remedy: 'Save the organizer again.',
    path: PATH,
  };
}

/** Looks an organizer up in the directory, once; the object id is what Teams wants in its paths. */
export function makeResolveOrganizer(
  microsoftApp: Pick<MicrosoftAppService, 'find' | 'graphFor'>,
  tools: Pick<ServiceTools, 'clock'>,
): (scope: Scope, upn: string) => Promise<ResolvedOrganizer | UserError> {
  return async (scope, upn) => {
    if (!ORGANIZER_NAME.test(upn) || upn.length > 320) {
      return invalid(
        PATH,
        'The organizer is not a user principal name such as scheduling@example.com.',
        'Copy “User principal name” of the user in Entra; it need not be the mail address.',
      );
    }
    const foundBy = await microsoftApp.find(scope);
    const graph = await microsoftApp.graphFor(scope).catch(toUnreadable);
    if (graph !== null && 'code' in graph) return { ...graph, path: PATH };
    if (graph === null || foundBy === null) {
      return {
        code: 'NOT_CONFIGURED',
        message: 'No Microsoft app is connected, so the organizer cannot be looked up.',
        remedy: 'Run connectMicrosoftApp first.',
        path: PATH,
      };
    }
    try {
      const user = await graph.users.get(upn);
      return {
        fields: {
          organizerUpn: user.userPrincipalName,
          organizerObjectId: user.id,
          organizerDisplayName: user.displayName,
          organizerResolvedAt: tools.clock(),
        },
        foundBy,
      };
    } catch (error) {
      const failure = toUserError(error, PATH);
      if (failure.code !== 'PERMISSION_MISSING') return failure;
      return {
        ...failure,
        message: 'The app is not allowed to look users up in the directory.',
        remedy:
          'In Entra, add the Microsoft Graph application permission User.Read.All to the app and grant admin consent. A new token can take up to an hour to carry it.',
      };
    }
  };
}
