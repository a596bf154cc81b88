/**
 * Loaded before a server (`--import`), with `--expose-gc`: answers every message of the parent with what is in memory
 * once all garbage is collected.
 */
process.on('message', () => {
  // The second one takes what the finalizers of the first let go.
  globalThis.gc?.();
  globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
