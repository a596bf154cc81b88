import type { TeamsSettingsResolvers } from '../generated/graphql.ts';

export const TeamsSettings: TeamsSettingsResolvers = {
  microsoftApp: (_settings, _args, { services, scope }) => services.microsoftApp.find(scope),
  organizer: ({ organizerUpn, organizerObjectId, organizerDisplayName }) =>
    organizerUpn === null
      ? null
      : { userPrincipalName: organizerUpn, objectId: organizerObjectId, displayName: organizerDisplayName },
  meetingDefaults: ({ recordAutomatically, lobbyBypass, allowedPresenters }) => ({
    recordAutomatically,
    lobbyBypass,
    allowedPresenters,
  }),
  lastVerification: (_settings, _args, { services, scope }) => services.settings.latestVerification(scope),
};
