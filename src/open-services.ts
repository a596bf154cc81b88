import { setTimeout } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { openBlobStore } from './blobs/open-blob-store.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/database.ts';
import type { GraphObserver } from './graph/observer.ts';
import { createGraphService } from './graph/service.ts';
import { createMailTransport } from './services/invitations/mail-transport.ts';
import type { Logger, Metrics } from './services/scope.ts';
import { createServices } from './services/services.ts';

interface OpenOptions {
  clock: () => Date;
  logger: Logger;
  metrics: Metrics & GraphObserver;
  /** Default: openBlobStore. */
  openBlobs?: typeof openBlobStore;
}

/**
 * Opens what the domain needs and wires it: the same for the server and for commands that do one thing of its work.
 * Whoever opens it closes mail, blobs and database.
 *
 * @throws DatabaseRefusedError, BlobStoreError, or as a connection to Postgres fails
 */
export async function openServices(config: Config, { clock, logger, metrics, openBlobs = openBlobStore }: OpenOptions) {
  const database = await openDatabase({ connectionString: config.database.url, poolSize: config.database.poolSize });
  const graph = createGraphService({ ...config.microsoft, clock, logger, observer: metrics });
  const mail = config.mail && createMailTransport(config.mail);
  const blobs = config.blobStore && (await openBlobs(config.blobStore));
  const services = createServices({
    graph,
    encryptionKeys: config.encryptionKeys,
    linkSigningKeys: config.linkSigningKeys,
    publicUrl: config.publicUrl,
    mail,
    psaEvents: config.psaEvents,
    blobs,
    inspectDatabase: () => database.facts(),
    recordingLinkMinutes: config.recordingLinkMinutes,
    tools: {
      clock,
      newId: uuidv7,
      sleep: (milliseconds) => setTimeout(milliseconds),
      random: Math.random,
      logger,
      metrics,
    },
  });
  return { database, mail, blobs, services };
}
