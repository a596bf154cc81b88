import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** An event as it arrived. */
export interface Arrival {
  id: string;
  contentType: string | undefined;
  /** Whether the library of Standard Webhooks takes the signature for these bytes. */
  isSigned: boolean;
  event: { type: string; timestamp: string; data: { meetingId: string } & Record<string, unknown> };
}

/** Answers an arrival: a status, a status with headers, or an answer of its own making. */
export type Answer =
  | number
  | { status: number; headers: Record<string, string> }
  | ((response: ServerResponse) => void);

/** The PSA's end of our events, over real HTTP. */
export interface Receiver {
  url: string;
  arrivals: Arrival[];
  /** What the next arrivals are answered with, one after the other; 204 when nothing is left. */
  answers: Answer[];
  nextArrival(): Promise<void>;
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Starts a receiver on a port of its own. */
export async function startReceiver(secret: string): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const arrivals: Arrival[] = [];
  const answers: Answer[] = [];
  let arrived = Promise.withResolvers<void>();

  function isSigned(body: string, headers: Record<string, string>): boolean {
    try {
      webhook.verify(body, headers);
      return true;
    } catch {
      return false;
    }
  }

  const server = createServer(async (request, response) => {
    const body = await bodyOf(request).catch(() => null);
    if (body === null) return;
    const headers = request.headers as Record<string, string>;
    arrivals.push({
      id: headers['webhook-id'] ?? '',
      contentType: headers['content-type'],
      isSigned: request.method === 'POST' && isSigned(body, headers),
      event: JSON.parse(body),
    });
    arrived.resolve();
    arrived = Promise.withResolvers<void>();
    const answer = answers.shift() ?? 204;
    if (typeof answer === 'function') answer(response);
    else if (typeof answer === 'number') response.writeHead(answer).end('what the receiver says is confidential');
    else response.writeHead(answer.status, answer.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events?of=meetings`,
    arrivals,
    answers,
    nextArrival: () => arrived.promise,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
