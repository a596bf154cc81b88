/**
 * npm run import:alga -- --source postgres://… : takes over settings, meetings and recordings of an alga-psa database.
 * Exit code 0 when everything was taken, 1 when something was not (see the report), 2 when it did not come to its end.
 */
import { parseArgs } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { loadImportConfig } from '../config.ts';
import { type AlgaSource, openAlgaSource } from '../db/alga-source.ts';
import { type Database, openDatabase } from '../db/database.ts';
import { type AdoptedTenant, makeAdoptTenant } from '../services/adoption/adoption.ts';
import type { AppointmentIdSource } from '../services/adoption/alga-meeting.ts';
import { backgroundViewer } from '../services/viewer.ts';
import { FindingCounts, importPage, openReportFile, type ReportFile } from './import-report.ts';
import { progressBar } from './progress-bar.ts';
import { runCommand } from './run-command.ts';

const USAGE =
  'Usage: npm run import:alga -- --source postgres://… [--tenant UUID]… [--appointment-id=schedule_entry|appointment_request] [--dry-run] [--report file.json]';

interface Options {
  source: URL;
  tenants: string[] | undefined;
  appointmentId: AppointmentIdSource;
  isDryRun: boolean;
  report: string | undefined;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What was typed is never repeated: it may be an address with a password in it, and this may end up in a log. */
function readArguments() {
  try {
    return parseArgs({
      options: {
        source: { type: 'string' },
        tenant: { type: 'string', multiple: true },
        'appointment-id': { type: 'string', default: 'schedule_entry' },
        'dry-run': { type: 'boolean', default: false },
        report: { type: 'string' },
      },
    }).values;
  } catch {
    throw new Error(`There is an unknown option, a value without its option, or an option without its value. ${USAGE}`);
  }
}

function readOptions(): Options {
  const values = readArguments();
  const source = values.source === undefined ? null : URL.parse(values.source);
  if (source === null || !['postgres:', 'postgresql:'].includes(source.protocol))
    throw new Error(`--source is no Postgres URL. ${USAGE}`);
  const appointmentId = values['appointment-id'];
  if (appointmentId !== 'schedule_entry' && appointmentId !== 'appointment_request')
    throw new Error(`--appointment-id is neither schedule_entry nor appointment_request. ${USAGE}`);
  const tenants = values.tenant?.map((tenant) => tenant.trim().toLowerCase());
  if (tenants?.some((tenant) => !UUID.test(tenant))) throw new Error(`--tenant is no UUID. ${USAGE}`);
  return { source, tenants, appointmentId, isDryRun: values['dry-run'], report: values.report };
}

/** Of the address, what may be shown: no user and no password. */
const placeOf = ({ host, pathname }: URL) => `${host}${pathname}`;

async function tenantsOf(source: AlgaSource, wanted: string[] | undefined): Promise<string[]> {
  const there = await source.tenants();
  const missing = wanted?.filter((tenant) => !there.includes(tenant)) ?? [];
  if (missing.length > 0) throw new Error(`The source has no Teams settings or meetings of ${missing.join(', ')}.`);
  return wanted ?? there;
}

async function importAll(
  { source, database, file }: { source: AlgaSource; database: Database; file: ReportFile | undefined },
  options: Options,
  canStoreRecordings: boolean,
  signal: AbortSignal,
): Promise<number> {
  const startedAt = new Date().toISOString();
  const tenants = await tenantsOf(source, options.tenants);
  let total = 0;
  for (const tenant of tenants) total += await source.countMeetings(tenant);

  const bar = progressBar(process.stderr, { total, unit: 'meetings' });
  const counts = new FindingCounts();
  const adopted: AdoptedTenant[] = [];
  const adoptTenant = makeAdoptTenant({ clock: () => new Date(), newId: uuidv7 });
  const { appointmentId, isDryRun } = options;
  for (const tenantId of tenants) {
    if (signal.aborted) break;
    const scope = { viewer: backgroundViewer(tenantId, 'import'), db: database.forTenant(tenantId) };
    const tenant = await adoptTenant(
      scope,
      source,
      { appointmentId, isDryRun, canStoreRecordings, signal },
      {
        meetings: (count) => bar.advance(count),
        found(findings) {
          for (const one of findings) {
            counts.add(one);
            file?.finding(one);
          }
        },
      },
    );
    adopted.push(tenant);
    file?.tenant(tenant);
  }
  bar.end();
  const isComplete = !signal.aborted;
  const finishedAt = new Date().toISOString();
  const summary = { source: placeOf(options.source), isDryRun, isComplete, startedAt, finishedAt };
  await file?.end(summary);
  const hasColors = process.stdout.isTTY && process.stdout.hasColors();
  console.log(importPage(adopted, counts, summary, hasColors));
  return isComplete ? Number(counts.notTaken > 0) : 2;
}

async function main(): Promise<number> {
  const options = readOptions();
  const { databaseUrl, canStoreRecordings } = loadImportConfig();
  const interrupted = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
  const database = await openDatabase({ connectionString: databaseUrl, poolSize: 2 });
  try {
    const source = await openAlgaSource(options.source.href);
    try {
      const file = options.report === undefined ? undefined : await openReportFile(options.report);
      return await importAll({ source, database, file }, options, canStoreRecordings, interrupted.signal);
    } finally {
      await source.close();
    }
  } finally {
    await database.close();
  }
}

await runCommand(() =>
  main().catch((error: unknown) => {
    const { message = String(error), code } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
    process.stderr.write(`${message || code}\n`);
    return 2;
  }),
);
