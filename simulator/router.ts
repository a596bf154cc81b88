import type { GraphFailure } from './errors.ts';
import { badRequest, GraphFailure as Failure } from './errors.ts';
import type { GraphRoute } from './graph-call.ts';

export interface RouteMatch {
  route: GraphRoute;
  params: Record<string, string>;
}

/**
 * Finds the route for a method and path segments; names of segments match without regard to case, as in Graph.
 * @returns the match, or the refusal: 400 for an unknown segment, 405 for a method that the address does not take
 */
export function matchRoute(
  routes: readonly GraphRoute[],
  method: string,
  segments: string[],
): RouteMatch | GraphFailure {
  let known = 0;
  let pathExists = false;
  for (const route of routes) {
    const pattern = route.path.split('/');
    const matched = matchedLength(pattern, segments);
    known = Math.max(known, matched);
    if (matched !== segments.length || pattern.length !== segments.length) continue;
    if (route.method === method) return { route, params: paramsOf(pattern, segments) };
    pathExists = true;
  }
  if (pathExists) return new Failure(405, 'BadRequest', 'Specified HTTP method is not allowed for the request target.');
  return badRequest(`Resource not found for the segment '${segments[known] ?? segments.at(-1) ?? ''}'.`);
}

function matchedLength(pattern: string[], segments: string[]): number {
  const mismatch = segments.findIndex((segment, index) => {
    const expected = pattern[index];
    return expected === undefined || (!isParameter(expected) && expected.toLowerCase() !== segment.toLowerCase());
  });
  return mismatch === -1 ? segments.length : mismatch;
}

function paramsOf(pattern: string[], segments: string[]): Record<string, string> {
  const params: Record<string, string> = {};
  pattern.forEach((name, index) => {
    if (isParameter(name)) params[name.slice(1, -1)] = segments[index] ?? '';
  });
  return params;
}

function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}
