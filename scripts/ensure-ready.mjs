// Runs before every command on whatever Node the machine has: installs what a fresh clone lacks and generates code
// from the schemas. Plain JavaScript and no dependency, because nothing may be installed yet. Silent when all is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(`${root}${file}`));
  return hash.digest('hex');
}

/** Does the work when its inputs changed since it was last done, or when its result is gone. */
function ensure(what, { inputs, stamp, result, command }) {
  const wanted = hashOf(inputs);
  const done =
    existsSync(`${root}${result}`) &&
    existsSync(`${root}${stamp}`) &&
    readFileSync(`${root}${stamp}`, 'utf8') === wanted;
  if (done) return;
  process.stderr.write(`${what}…\n`);
  const [program, ...args] = command;
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    process.stderr.write(`${what} failed: ${error?.message ?? `exit code ${status}`}\n`);
    process.exit(1);
  }
  writeFileSync(`${root}${stamp}`, wanted);
}

ensure('Installing dependencies', {
  inputs: ['package-lock.json'],
  stamp: 'node_modules/.installed',
  result: 'node_modules',
  command: ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
});
ensure('Generating code from the schemas', {
  inputs: [
    'package-lock.json',
    'schema.graphql',
    'codegen.ts',
    'prisma/schema.prisma',
    'src/services/invitations/invitation.mjml',
    'scripts/generate.ts',
  ],
  stamp: 'node_modules/.generated',
  result: 'src/generated/graphql.ts',
  command: ['node_modules/.bin/node', 'scripts/generate.ts'],
});
ensure('Bundling the explorer', {
  inputs: [
    'package-lock.json',
    'scripts/bundle-explorer.ts',
    'explorer/explorer.css',
    'explorer/index.html',
    'explorer/main.ts',
    'explorer/operation-name.ts',
    'explorer/operations.ts',
    'explorer/settings.ts',
    'explorer/token-bar.ts',
  ],
  stamp: 'node_modules/.explorer',
  result: 'explorer/dist/index.html',
  command: ['node_modules/.bin/node', 'scripts/bundle-explorer.ts'],
});
