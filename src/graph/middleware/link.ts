import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { callOf, type GraphCall } from '../call.ts';

/** What one link of the chain does; `next` runs the rest of the chain and may be called again. */
export type LinkHandler = (call: GraphCall, context: Context, next: () => Promise<void>) => Promise<void>;

/** Makes a middleware of the Graph SDK out of a function. */
export function link(handler: LinkHandler): Middleware {
  let following: Middleware | undefined;
  return {
    setNext: (middleware) => {
      following = middleware;
    },
    execute: (context) => handler(callOf(context), context, async () => following?.execute(context)),
  };
}
