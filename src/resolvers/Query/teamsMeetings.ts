import type { QueryResolvers } from '../../generated/graphql.ts';

export const teamsMeetings: QueryResolvers['teamsMeetings'] = async (
  _parent,
  { filter, first, after },
  { services, scope },
) => ({
  page: await services.meetings.page(scope, filter ?? {}, first ?? 25, after ?? null),
  filter: filter ?? {},
  isAfterCursor: Boolean(after),
});
