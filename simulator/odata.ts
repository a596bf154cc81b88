import type { Json } from './errors.ts';
import { badRequest } from './errors.ts';
import { option } from './graph-call.ts';
import type { ServedCall } from './serve.ts';

/**
 * The `$select` of the call applied to a view. Keys that begin with `@` and those in `always` stay.
 * Throws 400 for a property that the type does not have.
 */
export function select(call: ServedCall, view: Json, type: string, always: readonly string[] = []): Json {
  const wanted = option(call, '$select');
  if (wanted === undefined || wanted.trim() === '') return view;
  const names = new Map(Object.keys(view).map((name) => [name.toLowerCase(), name]));
  const chosen = new Set<string>(always);
  for (const item of wanted.split(',').map((one) => one.trim())) {
    const name = names.get(item.toLowerCase().split('/')[0] ?? '');
    if (name === undefined) {
      throw badRequest(
        `Parsing OData Select and Expand failed: Could not find a property named '${item}' on type 'microsoft.graph.${type}'.`,
      );
    }
    chosen.add(name);
  }
  return Object.fromEntries(Object.entries(view).filter(([name]) => name.startsWith('@') || chosen.has(name)));
}

export interface Comparison {
  /** Lower case, e.g. `start/datetime`. */
  property: string;
  operator: 'eq' | 'ne' | 'gt' | 'ge' | 'lt' | 'le';
  value: string;
}

const COMPARISON = /^\s*([\w/]+)\s+(eq|ne|gt|ge|lt|le)\s+(?:'((?:[^']|'')*)'|([^\s']+))\s*(?:\band\b|$)/i;

/** Reads a filter that is a conjunction of comparisons; null when it is anything else. Doubled quotes become one. */
export function parseFilter(filter: string): Comparison[] | null {
  const comparisons: Comparison[] = [];
  let rest = filter;
  do {
    const taken = takeComparison(rest);
    if (taken === null) return null;
    comparisons.push(taken.comparison);
    rest = taken.rest;
  } while (rest !== '');
  return comparisons;
}

/** The comparison at the beginning of a conjunction, and what follows its `and`; null when it begins otherwise. */
export function takeComparison(filter: string): { comparison: Comparison; rest: string } | null {
  const match = COMPARISON.exec(filter);
  if (match === null) return null;
  const [whole, property = '', operator = '', quoted, bare = ''] = match;
  const rest = filter.slice(whole.length).trim();
  if (rest === '' && /\band\s*$/i.test(whole)) return null;
  return {
    comparison: {
      property: property.toLowerCase(),
      operator: operator.toLowerCase() as Comparison['operator'],
      value: quoted?.replaceAll("''", "'") ?? bare,
    },
    rest,
  };
}

/** Whether `actual` stands in the comparison's relation to `expected`. */
export function compare<Value extends string | number>(
  actual: Value,
  operator: Comparison['operator'],
  expected: Value,
): boolean {
  switch (operator) {
    case 'eq':
      return actual === expected;
    case 'ne':
      return actual !== expected;
    case 'gt':
      return actual > expected;
    case 'ge':
      return actual >= expected;
    case 'lt':
      return actual < expected;
    case 'le':
      return actual <= expected;
  }
}
