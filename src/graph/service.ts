import { createHash } from 'node:crypto';
import { sleep } from './abort.ts';
import { TokenSource } from './auth.ts';
import { createGraphClient } from './client.ts';
import { type CloudEndpoints, cloudEndpoints } from './clouds.ts';
import type { GraphLogger } from './log.ts';
import { type GraphObserver, NO_OBSERVER } from './observer.ts';
import { RemoteClock } from './remote-clock.ts';
import type { RetryLimits } from './retry.ts';
import { MailboxQueues } from './throttle.ts';
import type { AppCredential, GraphClient, GraphService, MicrosoftAppRegistration } from './types.ts';

export interface GraphServiceOptions {
  /** Replaces Graph's host in every cloud; https, or plain http on a loopback host. Without the version. */
  graphBaseUrl?: string;
  /** Replaces Entra's host in every cloud, likewise. */
  entraBaseUrl?: string;
  /** Now; for `Retry-After` dates. */
  clock?: () => Date;
  logger: GraphLogger;
  /** Default: nobody counts. */
  observer?: GraphObserver;
  /** For one try up to its last byte; for streams up to the headers, then for each wait for a chunk. Default 10 s. */
  perTryTimeoutMs?: number;
  /** For all tries of a call and the waits between them. Default 30 s. */
  totalTimeoutMs?: number;
  /** Default 4. */
  maxTries?: number;
  /** Rejects with the signal's reason when it aborts. */
  sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to, not including, 1; for the jitter. */
  random?: () => number;
  /** Default 4, Exchange's own limit. */
  maxConcurrentPerMailbox?: number;
}

interface Entry {
  client: GraphClient;
  tokens: TokenSource;
}

const MAX_CLIENTS = 500;

/**
 * Microsoft Graph for any number of app registrations. Clients are shared, and the least recently used ones are
 * dropped beyond 500; the queues of the mailboxes are shared by all of an app's clients.
 * @throws Error when an overriding address is not acceptable.
 */
export function createGraphService(options: GraphServiceOptions): GraphService {
  const { logger, clock = () => new Date(), perTryTimeoutMs = 10_000, observer = NO_OBSERVER } = options;
  // A wrong address is to fail at the start of the process, not at the first meeting.
  cloudEndpoints('GLOBAL', options);
  const limits: RetryLimits = {
    maxTries: options.maxTries ?? 4,
    totalTimeoutMs: options.totalTimeoutMs ?? 30_000,
    sleep: options.sleep ?? sleep,
    random: options.random ?? Math.random,
  };
  const queues = new MailboxQueues(options.maxConcurrentPerMailbox ?? 4);
  const entries = new Map<string, Entry>();

  function createEntry(app: MicrosoftAppRegistration): Entry {
    const endpoints: CloudEndpoints = cloudEndpoints(app.cloud, options);
    const remoteClock = new RemoteClock();
    const tokens = new TokenSource(app, endpoints, {
      logger,
      clock,
      timeoutMs: perTryTimeoutMs,
      remoteClock,
      observer,
    });
    const client = createGraphClient({
      cloud: app.cloud,
      graphBaseUrl: endpoints.graphBaseUrl,
      tokens,
      queues,
      appKey: appKeyOf(app),
      limits,
      perTryTimeoutMs,
      clock,
      remoteClock,
      logger,
      observer,
    });
    return { client, tokens };
  }

  function drop(isForgotten: (key: string) => boolean): void {
    for (const [key, entry] of entries) {
      if (!isForgotten(key)) continue;
      entries.delete(key);
      // Who still holds the client is to see new roles as well.
      entry.tokens.forget();
    }
  }

  return {
    forApp(app) {
      const key = keyOf(app);
      const entry = entries.get(key) ?? createEntry(app);
      // A Map keeps the order of insertion: the first key is the least recently used.
      entries.delete(key);
      entries.set(key, entry);
      for (const oldest of entries.keys()) {
        if (entries.size <= MAX_CLIENTS) break;
        entries.delete(oldest);
      }
      return entry.client;
    },

    forget(app) {
      const prefix = `${appKeyOf(app)}/`;
      drop((key) => key.startsWith(prefix));
    },

    forgetCredential(app) {
      const forgotten = keyOf(app);
      drop((key) => key === forgotten);
    },
  };
}

function keyOf(app: MicrosoftAppRegistration): string {
  return `${appKeyOf(app)}/${credentialHash(app.credential)}`;
}

function appKeyOf(app: MicrosoftAppRegistration): string {
  return [app.cloud, app.directoryId, app.clientId].map((part) => encodeURIComponent(part.toLowerCase())).join('/');
}

function credentialHash(credential: AppCredential): string {
  const parts =
    credential.kind === 'CLIENT_SECRET'
      ? [credential.kind, credential.clientSecret]
      : [credential.kind, credential.certificatePem, credential.privateKeyPem];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
