import type { MutationResolvers } from '../../generated/graphql.ts';

export const connectMicrosoftApp: MutationResolvers['connectMicrosoftApp'] = async (
  _parent,
  { input },
  { services, scope },
) => {
  const userErrors = await services.microsoftApp.connect(scope, { ...input, cloud: input.cloud ?? 'GLOBAL' });
  return { settings: userErrors.length > 0 ? null : await services.settings.find(scope), userErrors };
};
