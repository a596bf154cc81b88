import type { Json } from './errors.ts';
import { badRequest } from './errors.ts';
import { parsePrefer } from './headers.ts';
import type { Answer, ServedCall } from './serve.ts';
import type { Directory, User } from './state.ts';
import type { Caller } from './tokens.ts';

/** A call of Graph with its route's parameters, by an app whose token holds. */
export interface GraphCall extends ServedCall {
  params: Readonly<Record<string, string>>;
  prefer: ReadonlyMap<string, string>;
  caller: Caller;
  directory: Directory;
}

/** A call under `/users/{user}` after its checks: role, user, Exchange scope and mailbox or Teams policy. */
export interface UserCall extends GraphCall {
  user: User;
}

/** Which service answers, and so which checks and which error bodies apply. */
export type Area = 'directory' | 'exchange' | 'onlineMeetings';

interface Address {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments below `/v1.0/`; those in braces are parameters. The user's segment is `{user}`. */
  path: string;
}

/** An address below a user, with the checks that come before it. */
export interface UserRoute extends Address {
  area: Area;
  /** Any one of these app roles suffices. */
  roles: readonly string[];
  /** The content of a transcript refuses with another text when the policy is missing. */
  policyText?: (user: User) => string;
  handle(call: UserCall): Answer;
}

/** An address of the app itself; it makes its own checks. */
export interface AppRoute extends Address {
  area: 'app';
  handle(call: GraphCall): Answer | Promise<Answer>;
}

export type GraphRoute = UserRoute | AppRoute;

/**
 * Splits the path below `/v1.0/`; the OData form `users('x')` equals `users/x`. Of a function with parameters only its
 * name and the parentheses stay.
 */
export function segmentsOf(path: string): string[] {
  return path
    .split('/')
    .slice(2)
    .filter((segment) => segment !== '')
    .map((segment) => decodeURIComponent(segment))
    .flatMap((segment) => {
      const called = /^(\w+)\(\w+=.*\)$/.exec(segment);
      if (called !== null) return [`${called[1]}()`];
      const keyed = /^(\w+)\('((?:[^']|'')*)'\)$/.exec(segment);
      return keyed === null ? [segment] : [keyed[1] ?? '', (keyed[2] ?? '').replaceAll("''", "'")];
    });
}

export function preferencesOf(call: ServedCall): ReadonlyMap<string, string> {
  return parsePrefer(call.headers.prefer);
}

/** A system query option such as `$select`, whatever its case. */
export function option(call: ServedCall, name: string): string | undefined {
  for (const [key, value] of call.query) if (key.toLowerCase() === name.toLowerCase()) return value;
  return undefined;
}

/** The JSON object that was sent. Throws Graph's 400 when it is not announced or not readable as one. */
export function jsonBody(call: ServedCall): Json {
  try {
    if (/^application\/json\b/i.test(call.headers['content-type'] ?? '') && call.rawBody !== null) {
      const parsed: unknown = JSON.parse(call.rawBody.toString('utf8'));
      if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
    }
  } catch {
    // Told below, like every other unreadable payload.
  }
  throw badRequest(
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
  );
}

/** The JSON object of an action whose body may be left out. */
export function optionalJsonBody(call: ServedCall): Json {
  return call.rawBody === null ? {} : jsonBody(call);
}

/** Address of the metadata document with a fragment, for `@odata.context`. */
export function contextUrl(call: ServedCall, fragment: string): string {
  return `${call.baseUrl}/v1.0/$metadata#${fragment}`;
}
