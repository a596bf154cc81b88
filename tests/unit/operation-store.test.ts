import { type DocumentNode, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { makeOperationStore } from '../../src/server/operation-store.ts';

function documentOf(length: number): DocumentNode {
  return parse(`query Q { a }${' '.repeat(length - 13)}`);
}

describe('what is kept of operations', () => {
  it('has a bound by their texts, so that long ones do not fill the memory', () => {
    const store = makeOperationStore<string, DocumentNode>((document) => document);
    for (let n = 0; n < 200; n += 1) store.set(`${n}`, documentOf(10_000));
    expect(store.size).toBe(50);
    expect(store.get('199')).toBeDefined();
    expect(store.get('100')).toBeUndefined();
  });

  it('has a bound by their number', () => {
    const store = makeOperationStore<string, DocumentNode>((document) => document);
    for (let n = 0; n < 1_000; n += 1) store.set(`${n}`, documentOf(20));
    expect(store.size).toBe(250);
  });

  it('has none that is longer than what a client sends', () => {
    const store = makeOperationStore<string, DocumentNode>((document) => document);
    store.set('short', documentOf(20));
    store.set('long', documentOf(20_001));
    expect([...store.keys()]).toEqual(['short']);
  });

  it('forgets what was not asked for, not what was sent first', () => {
    const store = makeOperationStore<string, DocumentNode>((document) => document);
    store.set('popular', documentOf(20));
    for (let n = 0; n < 1_000; n += 1) {
      store.set(`${n}`, documentOf(20));
      expect(store.get('popular')).toBeDefined();
    }
  });
});
