import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import { type AsyncFetchFn, buildHTTPExecutor } from '@graphql-tools/executor-http';
import type { Subgraph } from './compose.ts';

export interface Gateway {
  url: string;
  /** Answers with this supergraph of these subgraphs from now on; before that every request gets a 503. */
  serve(supergraphSdl: string, subgraphs: readonly Subgraph[]): void;
  close(): Promise<void>;
}

const FORWARDED_HEADERS = ['authorization', 'client-request-id', 'traceparent', 'tracestate', 'x-request-id'];

/**
 * Starts to listen; GraphQL is at `/graphql`, `/healthcheck` answers 200 once a supergraph is served. Rejects when the
 * port is taken (`code: 'EADDRINUSE'`).
 */
export async function startGateway({ hostname, port }: { hostname: string; port: number }): Promise<Gateway> {
  let runtime: ReturnType<typeof createRuntime> | undefined;
  const notReady: RequestListener = (_, response) => {
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' });
    response.end(
      JSON.stringify({ errors: [{ message: 'Not composed yet.', extensions: { code: 'SERVICE_UNAVAILABLE' } }] }),
    );
  };
  const server = createServer((request, response) => void (runtime ?? notReady)(request, response));
  server.listen(port, hostname);
  await once(server, 'listening');

  return {
    url: `http://${hostname}:${(server.address() as AddressInfo).port}/graphql`,
    serve(supergraphSdl, subgraphs) {
      runtime = createRuntime(supergraphSdl, subgraphs);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await runtime?.dispose();
      server.closeAllConnections();
      await closed;
    },
  };
}

function createRuntime(supergraph: string, subgraphs: readonly Subgraph[]) {
  const headersOf = (name: string) => subgraphs.find((subgraph) => subgraph.name === name)?.headers ?? {};
  return createGatewayRuntime({
    supergraph,
    transports: {
      http: {
        getSubgraphExecutor: ({ subgraphName, transportEntry, fetch, getDisposeReason }) =>
          buildHTTPExecutor({
            endpoint: transportEntry.location,
            // What one subgraph is shown is no other's business.
            headers: headersOf(subgraphName),
            // The gateway's own fetch, because it adds the forwarded headers and the time-out.
            fetch: fetch as AsyncFetchFn,
            getDisposeReason,
          }),
      },
    },
    logging: 'error',
    landingPage: false,
    // GraphiQL's page loads its code from the internet.
    graphiql: false,
    healthCheckEndpoint: '/healthcheck',
    maskedErrors: false,
    upstreamTimeout: 60_000,
    propagateHeaders: {
      fromClientToSubgraphs: ({ request }) =>
        Object.fromEntries(FORWARDED_HEADERS.map((name) => [name, request.headers.get(name)])),
    },
  });
}
