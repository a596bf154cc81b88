import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Tests that need Prometheus on the machine: `npm run test:operations`. `npm test` runs none of them. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 90_000, hookTimeout: 180_000, maxWorkers: 1 } }));
export default { ...config, test: { ...config.test, include: ['tests/operations/*.operations.ts'] } };
