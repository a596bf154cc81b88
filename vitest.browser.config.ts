import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

/** Tests that need Chromium on the machine: `npm run test:browser`. `npm test` runs none of them. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 180_000, maxWorkers: 1 } }));
export default { ...config, test: { ...config.test, include: ['tests/browser/*.browser.ts'] } };
