import { setTimeout as delay } from 'node:timers/promises';
import { composeServices } from '@theguild/federation-composition';
import { parse } from 'graphql';
import { z } from 'zod';

export interface Subgraph {
  name: string;
  url: string;
  /** What the gateway sends to this subgraph with every request, besides what it forwards. */
  headers?: Record<string, string>;
}

export interface ComposeOptions {
  /** How long to wait for a subgraph that does not answer yet, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
}

const POLL_MS = 200;
const PER_TRY_MS = 5_000;

const sdlAnswer = z.object({ data: z.object({ _service: z.object({ sdl: z.string() }) }) });

/**
 * Asks every subgraph for its SDL (`{ _service { sdl } }`) and composes the supergraph. Rejects when a subgraph does not
 * answer in time, when the SDLs do not compose (with all reasons), and when `signal` is aborted.
 */
export async function composeSupergraph(subgraphs: Subgraph[], options: ComposeOptions): Promise<string> {
  const services = await Promise.all(
    subgraphs.map(async (subgraph) => ({
      name: subgraph.name,
      url: subgraph.url,
      typeDefs: parse(await fetchSdl(subgraph, options)),
    })),
  );
  const result = composeServices(services);
  if (result.supergraphSdl !== undefined) return result.supergraphSdl;
  throw new Error(
    `The subgraphs do not compose:\n${(result.errors ?? []).map(({ message }) => `  ${message}`).join('\n')}`,
  );
}

async function fetchSdl(subgraph: Subgraph, { timeoutMs, signal }: ComposeOptions): Promise<string> {
  const { name, url } = subgraph;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await fetchSdlOnce(subgraph, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (Date.now() >= deadline) {
        const seconds = Math.round(timeoutMs / 1000);
        throw new Error(`Subgraph ${name} at ${url} gave no schema within ${seconds} s.`, { cause: error });
      }
      await delay(POLL_MS, undefined, { signal });
    }
  }
}

async function fetchSdlOnce({ url, headers }: Subgraph, signal: AbortSignal | undefined): Promise<string> {
  const timeout = AbortSignal.timeout(PER_TRY_MS);
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ _service { sdl } }' }),
    signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
  });
  return sdlAnswer.parse(await response.json()).data._service.sdl;
}
