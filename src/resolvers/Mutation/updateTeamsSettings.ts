import type { MutationResolvers } from '../../generated/graphql.ts';

export const updateTeamsSettings: MutationResolvers['updateTeamsSettings'] = async (
  _parent,
  { input },
  { services, scope },
) => {
  const userErrors = await services.settings.update(scope, input);
  return { settings: userErrors.length > 0 ? null : await services.settings.find(scope), userErrors };
};
