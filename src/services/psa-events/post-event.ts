import { Webhook } from 'standardwebhooks';
import type { OutgoingEvent } from '../../generated/prisma/client.ts';

/** Why an event did not arrive. */
export interface PostFailure {
  /** A status or the name of an error; never anything that the receiver wrote. */
  error: string;
  /** The receiver says that the request is wrong, so that a person should look; it is tried again all the same. */
  isRefusal: boolean;
  /** How long the receiver asks us to wait at least; 0 when it does not say. */
  retryAfterMs: number;
}

/** Sends one event; null when the receiver took it. It does not throw. */
export type PostEvent = (
  event: Pick<OutgoingEvent, 'id' | 'type' | 'data' | 'createdAt'>,
  now: Date,
) => Promise<PostFailure | null>;

export interface EventReceiver {
  url: string;
  /** `whsec_` and the base64 of the key. */
  secret: string;
  /** How long the receiver may take to answer; default 10 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 3_600_000;
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;
/** Answers below 500 that say nothing against the request itself. */
const PASSING = new Set([408, 425, 429]);

/**
 * How long to wait after so many failures: 5 s, doubled each time up to an hour, less up to a quarter by chance, so that
 * everything that failed at once does not come back at once.
 *
 * @param attempts from 1
 * @param random from 0 to 1
 */
export function retryDelayMs(attempts: number, random: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS) * (1 - random / 4);
}

/** Reads `Retry-After`, seconds or a date; a day at the most, and 0 for what is neither. */
export function readRetryAfter(header: string | null, now: Date): number {
  if (header === null) return 0;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), LONGEST_RETRY_AFTER_MS);
}

/** `fetch failed` says nothing; the code of what it wraps does. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : error.name;
}

/**
 * Makes the sender of events, signed by the scheme of Standard Webhooks. The id is the event's own and stays the same
 * over retries; time-stamp and signature are of each try. Redirects are not followed and answers not read.
 *
 * @throws when the secret is none
 */
export function makePostEvent({ url, secret, timeoutMs = TIMEOUT_MS }: EventReceiver): PostEvent {
  const webhook = new Webhook(secret);
  return async ({ id, type, data, createdAt }, now) => {
    const body = JSON.stringify({ type, timestamp: createdAt.toISOString(), data });
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json',
          'user-agent': 'teams-meetings-subgraph',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': webhook.sign(id, now, body),
        },
        body,
      });
      await response.body?.cancel().catch(() => undefined);
      if (response.ok) return null;
      return {
        error: `HTTP ${response.status}`,
        isRefusal: response.status < 500 && !PASSING.has(response.status),
        retryAfterMs: readRetryAfter(response.headers.get('retry-after'), now),
      };
    } catch (error) {
      return { error: nameOf(error), isRefusal: false, retryAfterMs: 0 };
    }
  };
}
