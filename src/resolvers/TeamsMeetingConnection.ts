import type { TeamsMeetingConnectionResolvers } from '../generated/graphql.ts';
import { pageInfo } from './page-info.ts';

export const TeamsMeetingConnection: TeamsMeetingConnectionResolvers = {
  edges: ({ page }) => page.meetings.map(({ meeting, cursor }) => ({ node: meeting, cursor })),
  pageInfo: ({ page, isAfterCursor }) => pageInfo(page.meetings, page.hasNextPage, isAfterCursor),
  totalCount: ({ filter }, _args, { services, scope }) => services.meetings.count(scope, filter),
};
