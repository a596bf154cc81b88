import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { concurrentStatements } from '../src/db/migration-script.ts';
import { type Finding, report, type SourceFile, trackedFiles } from './findings.ts';

/** Older ones were written before there was a release that had to go on serving meanwhile. */
const FIRST_LIVE = '20261202000000';

/** Rules of squawk that do not hold here. */
const NOT_OURS = [
  // The runner sets it: src/db/migrations.ts.
  'require-lock-timeout',
  'require-statement-timeout',
  // What is counted here is small; and the order of an enum's values means nothing.
  'prefer-bigint-over-int',
  'require-enum-value-ordering',
];

/** What no release that still runs may miss. A rename takes it away too, and cannot be announced. */
const CONTRACT_RULES = new Set(['ban-drop-column', 'ban-drop-table']);
const CONTRACT = /^-- contract: released since (\d+)\.(\d+)\.(\d+)$/m;

interface Violation {
  rule_name: string;
  /** From 0. */
  line: number;
  message: string;
}

function lint({ path, text }: SourceFile, isTransaction: boolean): Violation[] {
  const { stdout, stderr, error } = spawnSync(
    'node_modules/.bin/squawk',
    [
      '--reporter=json',
      '--pg-version=15.0',
      isTransaction ? '--assume-in-transaction' : '--no-assume-in-transaction',
      `--exclude=${NOT_OURS.join(',')}`,
      `--stdin-filepath=${path}`,
    ],
    { input: text, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  if (error !== undefined || stdout === '') throw new Error(`squawk did not run: ${error?.message ?? stderr}`);
  return JSON.parse(stdout) as Violation[];
}

/** Whether a migration says since which release nothing uses any more what it drops, and that release is out. */
function isAnnounced(text: string, released: string): boolean {
  const since = CONTRACT.exec(text)?.slice(1).map(Number);
  if (since === undefined) return false;
  const newest = released.split('.').map(Number);
  const differing = since.findIndex((part, place) => part !== newest[place]);
  return differing === -1 || (since[differing] ?? 0) < (newest[differing] ?? 0);
}

function splits(text: string): boolean | string {
  try {
    return concurrentStatements(text) !== null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Finds what would stop the requests of a running release, or take away what it uses.
 *
 * @param released the version that is out
 */
export function findUnsafeMigrations(file: SourceFile, released: string): Finding[] {
  const name = file.path.split('/').at(-2) ?? '';
  if (name < FIRST_LIVE) return [];
  const isConcurrent = splits(file.text);
  if (typeof isConcurrent === 'string') return [{ file: file.path, line: 1, message: isConcurrent }];
  return lint(file, !isConcurrent)
    .filter(({ rule_name }) => !CONTRACT_RULES.has(rule_name) || !isAnnounced(file.text, released))
    .map(({ rule_name, line, message }) => ({ file: file.path, line: line + 1, message: `${rule_name}: ${message}` }));
}

if (import.meta.main) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  report(
    'check-migrations',
    trackedFiles('prisma/migrations/*/migration.sql').flatMap((file) => findUnsafeMigrations(file, version)),
  );
}
