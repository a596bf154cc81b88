/**
 * npm run audit: asks the registry for known vulnerabilities of what is locked. Exit code 1 where one is shipped that
 * scripts/audit-exceptions.json does not argue away, 2 where the registry does not answer.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isForProduction, type LockedPackages, lockedPackages, nameOf, shippedHere } from './shipped.ts';

/** The parts of `npm audit --json` (auditReportVersion 2) that are read here. */
export interface AuditReport {
  vulnerabilities: Record<
    string,
    { nodes: string[]; via: (string | { url: string; title: string; severity: string })[] }
  >;
}

/** Why a vulnerability does not touch us, and until when somebody has to look again. */
export interface AuditException {
  /** Of GitHub's database, e.g. GHSA-xxxx-xxxx-xxxx. */
  id: string;
  reason: string;
  /** A day, e.g. 2027-03-31. */
  until: string;
}

export interface AuditVerdict {
  /** They are shipped, and nothing says why that would do no harm. */
  open: string[];
  argued: string[];
  /** In tools of development alone. */
  development: string[];
  /** Exceptions that are over or meet nothing any more: to be taken out. */
  stale: string[];
}

/** Judges what `npm audit` found. */
export function judgeAudit(
  report: AuditReport,
  isShipped: (folder: string) => boolean,
  exceptions: readonly AuditException[],
  today: string,
): AuditVerdict {
  const verdict: AuditVerdict = { open: [], argued: [], development: [], stale: [] };
  const met = new Set<string>();
  for (const [name, { nodes, via }] of Object.entries(report.vulnerabilities)) {
    for (const advisory of via) {
      // A name stands for a package that is listed itself.
      if (typeof advisory === 'string') continue;
      const id = advisory.url.slice(advisory.url.lastIndexOf('/') + 1);
      const exception = exceptions.find((one) => one.id === id && one.until >= today);
      if (exception !== undefined) met.add(exception.id);
      const line = `${name}: ${advisory.severity}: ${advisory.title} (${advisory.url})`;
      if (exception !== undefined) verdict.argued.push(`${line}: ${exception.reason}`);
      else if (nodes.some(isShipped)) verdict.open.push(line);
      else verdict.development.push(line);
    }
  }
  verdict.stale = exceptions.filter(({ id }) => !met.has(id)).map(({ id, until }) => `${id} (until ${until})`);
  return verdict;
}

function isShippedHere(locked: LockedPackages): (folder: string) => boolean {
  const shipped = new Set(shippedHere().map(({ name, version }) => `${name}@${version}`));
  return (folder) => {
    const one = locked[folder];
    return one !== undefined && (isForProduction(one) || shipped.has(`${nameOf(folder)}@${one.version}`));
  };
}

function main(): number {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', maxBuffer: 64 * 1_048_576 });
  const answer = JSON.parse(stdout || '{}') as Partial<AuditReport>;
  if (answer.vulnerabilities === undefined) {
    console.error(`The registry gave no answer to npm audit: nothing is known either way.\n${stderr}`);
    return 2;
  }
  const exceptions = JSON.parse(
    readFileSync(new URL('audit-exceptions.json', import.meta.url), 'utf8'),
  ) as AuditException[];
  const report = { vulnerabilities: answer.vulnerabilities };
  const today = new Date().toISOString().slice(0, 10);
  const verdict = judgeAudit(report, isShippedHere(lockedPackages('.')), exceptions, today);
  for (const [kind, lines] of Object.entries(verdict) as [string, string[]][])
    for (const line of lines) console.log(`${kind.padEnd(12)}${line}`);
  if (verdict.open.length + verdict.stale.length > 0) return 1;
  console.log('Nothing is shipped that is known to be vulnerable and not argued away.');
  return 0;
}

if (import.meta.main) process.exitCode = main();
