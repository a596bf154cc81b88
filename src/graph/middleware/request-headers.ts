import type { Middleware } from '@microsoft/microsoft-graph-client';
import { link } from './link.ts';

/**
 * Puts on the headers that every call has, and keeps the failure for the caller. Immutable ids have to be asked for
 * with each request (Microsoft Learn: outlook-immutable-id).
 */
export function requestHeaders(): Middleware {
  return link(async (call, context, next) => {
    if (call.plan.url !== undefined) context.request = call.plan.url;
    const headers = new Headers(context.options?.headers);
    for (const [name, value] of Object.entries(call.plan.headers ?? {})) headers.set(name, value);
    if (!headers.has('accept')) headers.set('accept', 'application/json');
    headers.append('prefer', 'IdType="ImmutableId"');
    headers.set('client-request-id', call.clientRequestId);
    context.options = { ...context.options, headers };
    try {
      await next();
    } catch (error) {
      call.failure = error;
      throw error;
    }
  });
}
