/** Compiles src to dist for production, when dist is missing or older than a source. */
import { spawnSync } from 'node:child_process';
import { globSync, rmSync, statSync } from 'node:fs';

const newest = Math.max(
  ...['tsconfig.json', 'tsconfig.build.json', ...globSync('src/**/*.ts')].map((file) => statSync(file).mtimeMs),
);
const built = statSync('dist/main.js', { throwIfNoEntry: false });
if (built === undefined || built.mtimeMs < newest) {
  rmSync('dist', { recursive: true, force: true });
  const { status } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  process.exit(status ?? 1);
}
