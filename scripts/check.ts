/** npm run check: everything that is checked besides the tests. One line a check; what a failed one said follows it. */
import { spawnSync } from 'node:child_process';

const BIN = 'node_modules/.bin';
const SOURCES = [
  'src',
  'simulator',
  'examples',
  'explorer',
  'scripts',
  'bench',
  'tests',
  'codegen.ts',
  'prisma.config.ts',
];

const CHECKS: [name: string, command: string, ...args: string[]][] = [
  ['generated code is up to date', process.execPath, 'scripts/generate.ts'],
  ['types', `${BIN}/tsc`, '-p', 'tsconfig.json'],
  ['format and lint', `${BIN}/biome`, 'ci', '--error-on-warnings', '--colors=off'],
  ['every schema element is described', `${BIN}/eslint`, 'schema.graphql', '--max-warnings=0'],
  ['schema is compatible with the published one', process.execPath, 'scripts/check-schema-compat.ts'],
  ['migrations are safe beside a running release', process.execPath, 'scripts/check-migrations.ts'],
  ['boundaries and cycles', `${BIN}/depcruise`, '--config', '.dependency-cruiser.cjs', ...SOURCES],
  ['nothing unused', `${BIN}/knip`, '--no-config-hints'],
  ['no file over 400 lines', process.execPath, 'scripts/check-file-length.ts'],
  ['no skipped or focused test', process.execPath, 'scripts/check-skipped-tests.ts'],
  ['no bidirectional control characters', process.execPath, 'scripts/check-bidi.ts'],
  ['no secret compared by an operator', process.execPath, 'scripts/check-comparisons.ts'],
  ['no secrets', process.execPath, 'scripts/check-secrets.ts'],
  ['licences of what is shipped', process.execPath, 'scripts/check-licences.ts'],
  ['every package is locked by its content', process.execPath, 'scripts/check-lockfile.ts'],
  ['production build', process.execPath, 'scripts/build.ts'],
];

let failed = 0;
for (const [name, command, ...args] of CHECKS) {
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${status === 0 ? '✔' : '✘'} ${name.padEnd(46)} ${seconds.padStart(6)} s`);
  if (status === 0) continue;
  failed += 1;
  console.log(`${stdout}${stderr}${error?.message ?? ''}`);
}
console.log(failed === 0 ? 'Every check holds.' : `${failed} of ${CHECKS.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
