import { type Logger, pino } from 'pino';
import { BlobStoreError } from './blobs/blob-store.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { DatabaseRefusedError } from './db/database.ts';
import { startWorker } from './jobs/worker.ts';
import { openServices } from './open-services.ts';
import { readRole } from './role.ts';
import { GATEWAY_SECRET_HEADER } from './server/admission/gateway-secret.ts';
import { createApp } from './server/app.ts';
import { createAuthenticator } from './server/authenticator.ts';
import { createMetrics } from './server/metrics.ts';
import type { DevelopmentHelp } from './server/routes/explorer.ts';
import { outliveStrayErrors } from './server/stray-errors.ts';
import { createWorkerApp } from './server/worker-app.ts';
import { tellLostKeys, warnOfLogin } from './start-up-warnings.ts';
import { startTracing } from './telemetry/start-tracing.ts';
import { traceFields } from './telemetry/tracing.ts';

/** Loaded where it is asked for alone: production has no code in it that makes tokens. */
async function helpOf({ developmentSecrets, admission }: Config): Promise<DevelopmentHelp | undefined> {
  if (developmentSecrets === undefined) return undefined;
  const { developmentHelp } = await import('./cli/development-help.ts');
  const help = await developmentHelp(developmentSecrets);
  const [gatewaySecret] = admission.gatewaySecrets;
  // The developer's browser is let past the gateway; anywhere else nobody is.
  return gatewaySecret === undefined ? help : { ...help, headers: { [GATEWAY_SECRET_HEADER]: gatewaySecret } };
}

/** Opens everything, serves and works as the role says until a signal, and closes everything. */
async function main(): Promise<void> {
  const role = readRole(process.argv.slice(2));
  const config = loadConfig();
  if (role === 'worker' && config.workerConcurrency === 0)
    throw new ConfigError('A worker with WORKER_CONCURRENCY=0 would do nothing. Set it to 1 or more.');
  const tracing = config.tracing && (await startTracing(config.tracing));
  const logger = pino({
    level: config.logLevel,
    redact: ['req.headers.authorization', 'headers.authorization'],
    ...(tracing && { mixin: traceFields }),
  });
  outliveStrayErrors(process, logger);
  const clock = () => new Date();

  const metrics = createMetrics({ ofProcess: true });
  const { database, mail, blobs, services } = await openServices(config, { clock, logger, metrics });
  warnOfLogin(database, logger);
  await tellLostKeys(database, config.encryptionKeys, logger);
  const app =
    role === 'worker'
      ? createWorkerApp({ database, metrics, clock, logger })
      : await createApp({
          database,
          services,
          authenticate: await createAuthenticator(config.auth, clock),
          metrics,
          logger,
          psaWebhookSecrets: config.psaWebhookSecrets,
          admission: config.admission,
          trustedProxies: config.trustedProxies,
          introspection: config.introspection,
          explorer: config.explorer ? { development: await helpOf(config) } : undefined,
          isProduction: config.isProduction,
        });

  const worker =
    role === 'server' || config.workerConcurrency === 0
      ? undefined
      : await startWorker({ database, services, concurrency: config.workerConcurrency, logger, observer: metrics });

  const address = await app.listen(config.listen.host, config.listen.port);
  logger.info({ address, role }, role === 'worker' ? 'the worker is listening' : 'the subgraph is listening');
  process.send?.({ type: 'ready', url: address });

  let stopping: Promise<void> | undefined;
  const stop = () => {
    services.stopLongJobs();
    // At once: somebody who plays a recording keeps the server for as long as it may take to stop.
    stopping ??= drained(() => Promise.all([app.stop(), worker?.stop()]).then(() => services.idle()), logger)
      .then(() => mail?.close())
      .then(() => blobs?.close())
      .then(() => database.close())
      .then(() => tracing?.stop())
      .then(() => logger.info({}, 'the subgraph has stopped'))
      .then(() => process.disconnect?.());
    return stopping;
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.once(signal, stop);
}

/** Orchestrators kill after 30 seconds by default. A caller is answered within eight. */
const DRAIN_MS = 15_000;

/**
 * Waits for what is under way, and ends the process without it when that takes too long, because Microsoft hangs: its
 * intent is stored, and its job goes on with it in another process as soon as the lease has run out.
 */
async function drained(drain: () => Promise<unknown>, logger: Logger): Promise<void> {
  const timer = setTimeout(() => {
    logger.warn({}, 'the subgraph has stopped without waiting any longer: what is under way is left to its jobs');
    process.exit(0);
  }, DRAIN_MS);
  await drain();
  clearTimeout(timer);
}

/** What a person can mend is one message; anything else shows where it came from. */
function tell(error: unknown): string {
  if (error instanceof ConfigError || error instanceof DatabaseRefusedError) return error.message;
  if (error instanceof BlobStoreError) return `The store of BLOB_STORE cannot be used: ${error.message}`;
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `The port is taken: ${error.message}. Set PORT to another one.`;
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === '28P01' || code === '3D000' || code === '28000') {
    // Where a name has several addresses, Node wraps their errors in one that has a code and no message.
    return `The database of DATABASE_URL cannot be used: ${error.message || code}`;
  }
  return error.stack ?? error.message;
}

main().catch((error: unknown) => {
  process.stderr.write(`${tell(error)}\n`);
  process.exit(1);
});
