/** The facts of a page of Relay's cursor connections; `isAfterCursor` means that something stands before it. */
export function pageInfo(items: readonly { cursor: string }[], hasNextPage: boolean, isAfterCursor: boolean) {
  return {
    hasNextPage,
    hasPreviousPage: isAfterCursor,
    startCursor: items[0]?.cursor ?? null,
    endCursor: items.at(-1)?.cursor ?? null,
  };
}
