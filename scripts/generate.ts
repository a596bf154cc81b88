/** Writes everything under src/generated from schema.graphql and prisma/schema.prisma. */
import { spawnSync } from 'node:child_process';

// Prisma's command line looks for its native schema engine, which generating does not need and which would be
// downloaded; any executable passes the check.
const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' };

for (const [tool, ...args] of [
  ['prisma/build/index.js', 'generate', '--no-hints'],
  ['@graphql-codegen/cli/esm/bin.js', '--silent'],
]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`node_modules/${tool}`, ...args], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(stdout + stderr);
    process.exit(status ?? 1);
  }
}
