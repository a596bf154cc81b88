import type { QueryResolvers } from '../../generated/graphql.ts';
import { pageInfo } from '../page-info.ts';

export const searchTranscripts: QueryResolvers['searchTranscripts'] = async (
  _parent,
  { query, filter, first, after },
  { services, scope },
) => {
  const { matches, hasNextPage } = await services.searchTranscripts(
    scope,
    query,
    filter ?? {},
    first ?? 25,
    after ?? null,
  );
  return {
    edges: matches.map((node) => ({ cursor: node.cursor, node })),
    pageInfo: pageInfo(matches, hasNextPage, Boolean(after)),
  };
};
