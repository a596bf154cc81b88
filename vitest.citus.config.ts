import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Tests on a real Citus, `CITUS_DATABASE_URL`, which no package brings: `npm run test:citus`. `npm test` runs none of them. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 180_000, maxWorkers: 1 } }));
const files = { include: ['tests/citus/*.citus.ts'], globalSetup: 'tests/citus/global-setup.ts' };
export default { ...config, test: { ...config.test, ...files } };
