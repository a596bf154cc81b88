/** What a caller may say about one call of Microsoft. */
export interface CallOptions {
  /** Ends the call; its reason is what the caller then gets. */
  signal?: AbortSignal;
  /** Instead of the service's number of tries for this call; 1 means that nothing is repeated. */
  maxTries?: number;
  /** Told the `request-id` of each answer of Graph, also of those that are tried again: the last one told counts. */
  onRequestId?: (requestId: string) => void;
}
