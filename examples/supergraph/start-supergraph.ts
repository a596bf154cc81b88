import { composeSupergraph, type Subgraph } from './gateway/compose.ts';
import { startGateway } from './gateway/server.ts';
import { startPsaCore } from './psa-core/server.ts';
import type { AuthOptions } from './psa-core/viewer.ts';

export interface SupergraphOptions {
  /** The GraphQL address of the Teams meetings subgraph. It may come up later than this call. */
  subgraphUrl: string;
  /** What shows that subgraph that it is the gateway who asks. */
  gatewaySecret?: string | undefined;
  /** The interface to listen on. */
  hostname: string;
  /** 0 takes any free port. */
  ports: { gateway: number; psaCore: number };
  /** How the PSA core verifies bearer tokens. */
  auth: AuthOptions;
  /** How long to wait for the Teams meetings subgraph, in milliseconds; default one minute. */
  timeoutMs?: number;
  /** Gives up starting when aborted. */
  signal?: AbortSignal;
}

export interface Supergraph {
  gatewayUrl: string;
  psaCoreUrl: string;
  close(): Promise<void>;
}

/**
 * Starts the PSA core subgraph and a gateway over it and the Teams meetings subgraph. Rejects, with nothing left
 * running, when a port is taken, a subgraph does not answer in time, or the two do not compose.
 */
export async function startSupergraph(options: SupergraphOptions): Promise<Supergraph> {
  const { hostname, ports, auth, subgraphUrl, gatewaySecret, timeoutMs = 60_000, signal } = options;
  const running: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const server of running.reverse().splice(0)) await server.close();
  };
  try {
    const psaCore = await startPsaCore({ hostname, port: ports.psaCore, auth });
    running.push(psaCore);
    // Listening before composing shows a taken port at once, however long the subgraph takes to come up.
    const gateway = await startGateway({ hostname, port: ports.gateway });
    running.push(gateway);
    const headers: Record<string, string> = gatewaySecret === undefined ? {} : { 'x-gateway-secret': gatewaySecret };
    const subgraphs: Subgraph[] = [
      { name: 'psa-core', url: psaCore.url },
      { name: 'teams-meetings', url: subgraphUrl, headers },
    ];
    gateway.serve(await composeSupergraph(subgraphs, { timeoutMs, signal }), subgraphs);
    return { gatewayUrl: gateway.url, psaCoreUrl: psaCore.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
