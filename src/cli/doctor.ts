/**
 * npm run doctor -- --tenant T [--json]: diagnoses a tenant's set-up. Exit code 1 when a step failed, 2 when nothing
 * could be diagnosed.
 */
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openBlobStore } from '../blobs/open-blob-store.ts';
import { type Config, ConfigError } from '../config.ts';
import { DatabaseRefusedError } from '../db/database.ts';
import { openServices } from '../open-services.ts';
import { createMetrics } from '../server/metrics.ts';
import type { DiagnosticsReport, DiagnosticsStep } from '../services/diagnostics/report.ts';
import { DatabaseUnavailableError, type Scope } from '../services/scope.ts';
import { backgroundViewer } from '../services/viewer.ts';
import { doctorConfig } from './doctor-environment.ts';
import { doctorPage, doctorProgress, jsonLine } from './doctor-page.ts';
import { runCommand } from './run-command.ts';

const USAGE = 'Usage: npm run doctor -- --tenant T [--json]';

/** Why nothing could be diagnosed, in one line with what to do. */
class DoctorError extends Error {}

function readOptions(): { tenant: string; json: boolean } {
  let values: { tenant?: string | undefined; json?: boolean | undefined };
  try {
    ({ values } = parseArgs({ options: { tenant: { type: 'string' }, json: { type: 'boolean' } } }));
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
    throw new DoctorError(`${why} ${USAGE}`);
  }
  const { tenant, json = false } = values;
  if (!tenant?.trim()) throw new DoctorError(`--tenant is missing: the tenant_id of its tokens. ${USAGE}`);
  return { tenant: tenant.trim(), json };
}

/** A store that cannot be opened keeps a server from starting; here it is a finding like others. */
const openBlobs: typeof openBlobStore = (location) =>
  openBlobStore(location).catch((error: unknown): BlobStore => {
    const fail = () => Promise.reject(error);
    const list = () => {
      throw error;
    };
    return {
      begin: fail,
      putPart: fail,
      complete: fail,
      abort: fail,
      get: fail,
      stat: fail,
      delete: fail,
      list,
      close: () => undefined,
    };
  });

async function diagnose(
  config: Config,
  tenantId: string,
  onStep: (step: DiagnosticsStep) => void,
): Promise<DiagnosticsReport> {
  const { database, mail, blobs, services } = await openServices(config, {
    clock: () => new Date(),
    logger: pino({ level: 'silent' }),
    metrics: createMetrics(),
    openBlobs,
  });
  try {
    const scope: Scope = { viewer: backgroundViewer(tenantId, 'doctor'), db: database.forTenant(tenantId) };
    const [settings, app] = await Promise.all([services.settings.find(scope), services.microsoftApp.find(scope)]);
    if (settings === null && app === null)
      throw new DoctorError(
        `The tenant “${tenantId}” has nothing stored here: check the id, which is the tenant_id of its tokens; a new tenant begins with connectMicrosoftApp.`,
      );
    const { report } = await services.diagnostics.run(scope, onStep);
    if (report === null) throw new DoctorError('No diagnosis could be made. Run it again.');
    return report;
  } finally {
    mail?.close();
    blobs?.close();
    await database.close();
  }
}

const CONNECTION_CODES = /^(E[A-Z]+|28P01|28000|3D000|57P0[123]|53300)$/;
/** What pg says, without a code, of a server that takes the connection and then says nothing or goes away. */
const SILENCE = /^(timeout expired|Query read timeout|Connection terminated)/;
/** Node's codes for a certificate that is not trusted (Node.js manual, TLS, "X509 certificate error codes") and for TLS. */
const TLS_CODES = /^(ERR_TLS_|ERR_SSL_|UNABLE_TO_|INVALID_(CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_)|(^|_)CERT(_|$)/;

/** What a person can mend, in a line; undefined for what is a bug. */
function mendable(error: unknown): string | undefined {
  if (error instanceof DoctorError || error instanceof ConfigError || error instanceof DatabaseRefusedError)
    return error.message;
  if (error instanceof DatabaseUnavailableError)
    return 'The database of DATABASE_URL has stopped answering: look at it and run the doctor again.';
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = (error.message || code).replace(/\s+/g, ' ').trim();
  const cannot = `The database of DATABASE_URL cannot be used (${message})`;
  if (TLS_CODES.test(code) || /SSL/.test(message))
    return `${cannot}: check the address, its sslmode and the certificate.`;
  return CONNECTION_CODES.test(code) || SILENCE.test(message)
    ? `${cannot}: check the address and that Postgres is running.`
    : undefined;
}

function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}

async function main(): Promise<number> {
  const wantsJson = process.argv.includes('--json');
  try {
    const { tenant, json } = readOptions();
    const config = await doctorConfig();
    const progress = json ? undefined : doctorProgress(process.stderr);
    const report = await diagnose(config, tenant, (step) => progress?.step(step)).finally(() => progress?.end());
    const { isTTY = false, columns = 100 } = process.stdout;
    const terminal = { columns: isTTY ? columns : null, hasColors: isTTY && process.stdout.hasColors() };
    await print(json ? `${jsonLine({ tenant, ...report })}\n` : doctorPage(tenant, report, terminal));
    return report.overall === 'FAIL' ? 1 : 0;
  } catch (error) {
    const message = mendable(error) ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
    if (wantsJson) await print(`${jsonLine({ error: message })}\n`);
    else process.stderr.write(`${message}\n`);
    return 2;
  }
}

await runCommand(main);
