import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** More than a frontend, a mobile app and a gateway have. */
const MOST_OPERATIONS = 250;

/**
 * Characters of GraphQL, over all operations of a store: parsed or compiled, each takes some 60 bytes, so that strangers
 * who send a new text with every request fill 30 megabytes and no more.
 */
const MOST_TEXT = 500_000;

/** One longer than this is not kept. */
const LONGEST_TEXT = 20_000;

/** Keeps what was made of the operations that were asked for last, by the size of their texts. */
export function makeOperationStore<Key extends object | string, Value extends object>(
  documentOf: (value: Value) => DocumentNode,
): LRUCache<Key, Value> {
  return new LRUCache({
    max: MOST_OPERATIONS,
    maxSize: MOST_TEXT,
    maxEntrySize: LONGEST_TEXT,
    sizeCalculation: (value) => documentOf(value).loc?.end ?? LONGEST_TEXT + 1,
  });
}
