/**
 * npm run keys:rotate -- [--dry-run]: re-encrypts every stored secret with the first key of ENCRYPTION_KEYS. Exit code 1
 * when secrets are left that the first key does not open, 2 when nothing could be looked at.
 */
import { parseArgs } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { openDatabase } from '../db/database.ts';
import { KeyRing } from '../services/microsoft-app/key-ring.ts';
import { makeRotateKeys } from '../services/microsoft-app/rotate-keys.ts';
import { doctorConfig } from './doctor-environment.ts';
import { rotationPage, rotationProgress } from './keys-rotate-page.ts';
import { runCommand } from './run-command.ts';

const USAGE = 'Usage: npm run keys:rotate -- [--dry-run]';

function readOptions(): { isDryRun: boolean } {
  try {
    return { isDryRun: parseArgs({ options: { 'dry-run': { type: 'boolean' } } }).values['dry-run'] ?? false };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error)} ${USAGE}`);
  }
}

async function rotate(): Promise<number> {
  const { isDryRun } = readOptions();
  const config = await doctorConfig();
  const database = await openDatabase({ connectionString: config.database.url, poolSize: 1 });
  const progress = rotationProgress(process.stderr);
  try {
    const rotateKeys = makeRotateKeys(database, new KeyRing(config.encryptionKeys), {
      clock: () => new Date(),
      newId: uuidv7,
    });
    const rotation = await rotateKeys({ isDryRun, onProgress: progress.show }).finally(progress.end);
    const ring = config.encryptionKeys.map(({ id }) => id);
    const [current] = ring;
    console.log(rotationPage(rotation, { ring, isDryRun }));
    const isLeft = rotation.lost.length > 0 || (!isDryRun && rotation.inUse.some(({ keyId }) => keyId !== current));
    return isLeft ? 1 : 0;
  } finally {
    await database.close();
  }
}

/** The hint of Postgres is what to do, where it gives one. */
function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const hint = 'hint' in error && typeof error.hint === 'string' ? ` ${error.hint}` : '';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  return `The rotation stopped: ${error.message || code}.${hint} What was done stays done; run it again to go on.`;
}

await runCommand(async () => {
  try {
    return await rotate();
  } catch (error) {
    process.stderr.write(`${tell(error)}\n`);
    return 2;
  }
});
