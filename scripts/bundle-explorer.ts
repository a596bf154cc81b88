/** Bundles the explorer's page into explorer/dist, each file named by its hash and with a compressed copy beside it. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const root = fileURLToPath(new URL('../explorer/', import.meta.url));

await build({
  root,
  configFile: false,
  logLevel: 'error',
  base: './',
  build: {
    outDir: 'dist',
    assetsDir: 'explorer',
    assetsInlineLimit: 0,
    emptyOutDir: true,
    chunkSizeWarningLimit: 10_000,
    // The notices of what is bundled, and what scripts/shipped.ts reads.
    license: { fileName: 'licences.json' },
  },
  worker: { format: 'es' },
});
for (const file of globSync(`${root}dist/explorer/*.{js,css}`))
  writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
