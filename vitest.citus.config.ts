import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

if (!process.env.CITUS_DATABASE_URL) {
  console.error(
    'Set CITUS_DATABASE_URL to an empty database on a Citus coordinator, as its superuser. Nothing was tested.',
  );
  process.exit(1);
}

/** Tests on a real Citus, `CITUS_DATABASE_URL`, which no package brings: `npm run test:citus`. `npm test` runs none of them. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 180_000, maxWorkers: 1 } }));
const files = { include: ['tests/citus/*.citus.ts'], globalSetup: 'tests/citus/global-setup.ts' };
export default { ...config, test: { ...config.test, ...files } };
