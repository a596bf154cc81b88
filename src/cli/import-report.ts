import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { styleText } from 'node:util';
import type { AdoptedTenant } from '../services/adoption/adoption.ts';
import type { Finding, FindingCode } from '../services/adoption/findings.ts';
import { jsonLine, printable } from './doctor-page.ts';

/** How the whole run went. */
export interface ImportSummary {
  source: string;
  isDryRun: boolean;
  isComplete: boolean;
  startedAt: string;
  finishedAt: string;
}

/** Writes the report's file as it comes, so that its size costs no memory. */
export interface ReportFile {
  finding(finding: Finding): void;
  tenant(tenant: AdoptedTenant): void;
  end(summary: ImportSummary): Promise<void>;
}

/** Opens the file at once: that it cannot be written is told before anything is taken over. */
export async function openReportFile(path: string): Promise<ReportFile> {
  const stream = createWriteStream(path, { encoding: 'utf8' });
  await once(stream, 'open');
  const tenants: AdoptedTenant[] = [];
  let isFirst = true;
  stream.write('{"findings":[');
  return {
    finding(finding) {
      stream.write(`${isFirst ? '' : ','}\n${jsonLine(finding)}`);
      isFirst = false;
    },
    tenant: (tenant) => void tenants.push(tenant),
    async end(summary) {
      const { source, isDryRun, isComplete, startedAt, finishedAt } = summary;
      const rest = { tenants, source, isDryRun, isComplete, startedAt, finishedAt };
      stream.end(`\n],${jsonLine(rest).slice(1)}\n`);
      await once(stream, 'close');
    },
  };
}

/** Counts what was told, by code: the table shows no single meeting. */
export class FindingCounts {
  readonly #counts = new Map<FindingCode, { count: number; one: Finding }>();
  notTaken = 0;

  add(finding: Finding): void {
    const counted = this.#counts.get(finding.code);
    if (counted === undefined) this.#counts.set(finding.code, { count: 1, one: finding });
    else counted.count += 1;
    if (!finding.isTaken) this.notTaken += 1;
  }

  /** What was not taken first, then what happened most often. */
  sorted(): { count: number; one: Finding }[] {
    return [...this.#counts.values()].toSorted(
      (a, b) => Number(a.one.isTaken) - Number(b.one.isTaken) || b.count - a.count,
    );
  }
}

/** Tenants that the table names one by one; beyond that only the sum is shown. */
const SHOWN_TENANTS = 20;

function sum(tenants: readonly AdoptedTenant[]): AdoptedTenant {
  const total: AdoptedTenant = {
    tenantId: `${tenants.length} tenants`,
    settings: 'none',
    meetings: { read: 0, taken: 0, changed: 0, unchanged: 0, notTaken: 0 },
    recordings: { read: 0, taken: 0 },
    transcripts: { read: 0 },
  };
  for (const { meetings, recordings, transcripts } of tenants) {
    for (const name of Object.keys(meetings) as (keyof typeof meetings)[]) total.meetings[name] += meetings[name];
    total.recordings.read += recordings.read;
    total.recordings.taken += recordings.taken;
    total.transcripts.read += transcripts.read;
  }
  return total;
}

/** The report for a person: a line a tenant, and a paragraph for each kind of thing that has to be told. */
export function importPage(
  tenants: readonly AdoptedTenant[],
  counts: FindingCounts,
  { isDryRun, isComplete }: ImportSummary,
  hasColors: boolean,
): string {
  const bold = (text: string) => (hasColors ? styleText('bold', text, { validateStream: false }) : text);
  const columns = ['read', 'taken', 'changed', 'unchanged', 'notTaken'] as const;
  const cells = (values: (string | number)[]) => values.map((value) => String(value).padStart(12)).join('');
  const line = ({ tenantId, settings, meetings, recordings, transcripts }: AdoptedTenant, isSum = false) =>
    `${printable(tenantId).padEnd(38)}${(isSum ? '' : settings).padEnd(10)}${cells([
      ...columns.map((name) => meetings[name]),
      `${recordings.taken}/${recordings.read}`,
      transcripts.read,
    ])}`;
  const head = `${'tenant'.padEnd(38)}${'settings'.padEnd(10)}${cells(['meetings', 'taken', 'changed', 'unchanged', 'not taken', 'recordings', 'transcripts'])}`;
  const shown = tenants.length > SHOWN_TENANTS ? [] : tenants.map((tenant) => line(tenant));
  const told = counts
    .sorted()
    .flatMap(({ count, one: { code, isTaken, message, remedy } }) => [
      `${String(count).padStart(8)}  ${bold(code)}${isTaken ? '' : ' (not taken)'}  ${message}`,
      ...(remedy === null ? [] : [`          → ${remedy}`]),
    ]);
  return [
    bold(isDryRun ? 'What an import would do (dry run: nothing was stored)' : 'What was imported'),
    '',
    head,
    ...shown,
    ...(tenants.length === 1 ? [] : [line(sum(tenants), true)]),
    ...(told.length === 0 ? [] : ['', ...told]),
    ...(isComplete ? [] : ['', 'It was interrupted: run the same command again, and it goes on.']),
    '',
  ].join('\n');
}
