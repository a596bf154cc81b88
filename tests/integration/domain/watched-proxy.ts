import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What passes between the subgraph and Microsoft, and who hangs up first: the simulator cannot tell that. */
export interface WatchedProxy {
  url: string;
  /** Where to forward to; set once the simulator's address is known. */
  target: string;
  /** Paths of answers that the caller broke off before their end. */
  brokenOff: string[];
  /** Bytes of answers that were handed on to the caller's connection. */
  bytes: number;
  close(): Promise<void>;
}

/** Starts an HTTP proxy on a free port of the loopback host. */
export async function startWatchedProxy(): Promise<WatchedProxy> {
  const server = createServer((incoming, outgoing) => {
    const { hostname, port } = new URL(proxy.target);
    const upstream = request(
      { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers, agent: false },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('data', (chunk: Buffer) => {
          proxy.bytes += chunk.length;
        });
        answer.on('error', () => outgoing.destroy());
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => {
      if (!outgoing.writableFinished && !upstream.destroyed) proxy.brokenOff.push(incoming.url ?? '');
      upstream.destroy();
    });
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: WatchedProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target: '',
    brokenOff: [],
    bytes: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
