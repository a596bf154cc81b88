import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type {
  DiagnoseMigrationHistoryOutput,
  MigrationList,
  SchemaEngine,
} from '@prisma/schema-engine-wasm/schema_engine_bg';
import { grantToApplication } from './application-role.ts';
import { installJobQueue } from './job-queue.ts';
import { isLockTimeout, type LockPatience, retryWhileLocked, withMigrationLock } from './migration-locks.ts';
import { migrationNames, PRISMA_FOLDER } from './migration-names.ts';
import { concurrentStatements } from './migration-script.ts';
import { withSchemaEngine } from './schema-engine.ts';

const NO_FILTERS = { externalTables: [], externalEnums: [] };

/** A second that a request may have to wait, three minutes to find a gap, and a quarter of an hour for a slow index. */
const PATIENCE: LockPatience = {
  lockTimeoutMs: 1_000,
  attempts: 60,
  waitForOthersMs: 15 * 60_000,
  tell: () => undefined,
};

/** A database whose history is not the one of this release: edited, failed or unknown migrations. */
export class MigrationHistoryError extends Error {
  override readonly name = 'MigrationHistoryError';
}

async function readMigrations(folder: URL): Promise<MigrationList> {
  const directory = new URL('migrations/', folder);
  const names = await migrationNames(folder);
  const migrationDirectories = await Promise.all(
    names.map(async (name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: {
          tag: 'ok' as const,
          value: await readFile(new URL(`${name}/migration.sql`, directory), 'utf8'),
        },
      },
    })),
  );
  const lockfile = {
    path: 'migration_lock.toml',
    content: await readFile(new URL('migration_lock.toml', directory), 'utf8'),
  };
  return { baseDir: fileURLToPath(directory), lockfile, shadowDbInitScript: '', migrationDirectories };
}

function diagnose(engine: SchemaEngine, migrationsList: MigrationList): Promise<DiagnoseMigrationHistoryOutput> {
  return engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters: NO_FILTERS });
}

function unappliedOf({ history }: DiagnoseMigrationHistoryOutput): string[] {
  return history === null || history.diagnostic === 'migrationsDirectoryIsBehind'
    ? []
    : history.unappliedMigrationNames;
}

/** Whether a migration may simply be run again after it broke off: one that builds indexes concurrently may. */
function isRepeatable(name: string, { migrationDirectories }: MigrationList): boolean {
  const content = migrationDirectories.find(({ path }) => path === name)?.migrationFile.content;
  return content?.tag === 'ok' && concurrentStatements(content.value) !== null;
}

/** Refuses a history that nobody may build on, and takes up again what may be run again. */
async function takeUp(engine: SchemaEngine, migrationsList: MigrationList): Promise<void> {
  const { editedMigrationNames: edited, failedMigrationNames } = await diagnose(engine, migrationsList);
  if (edited.length > 0) {
    throw new MigrationHistoryError(
      `Migrations were edited after they ran: ${edited.join(', ')}. Restore the released files and run again.`,
    );
  }
  const failed = failedMigrationNames.filter((name) => !isRepeatable(name, migrationsList));
  if (failed.length > 0) {
    throw new MigrationHistoryError(
      `Migrations failed half-way: ${failed.join(', ')}. See whether the database has what they make, mend it, tell so with ` +
        '`npm run db:migrate -- --rolled-back NAME` or `-- --applied NAME`, and run again.',
    );
  }
  for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName });
}

async function markFailedRolledBack(engine: SchemaEngine, migrationsList: MigrationList): Promise<void> {
  const { failedMigrationNames } = await diagnose(engine, migrationsList);
  for (const migrationName of failedMigrationNames) await engine.markMigrationRolledBack({ migrationName });
}

export interface MigrateOptions extends Partial<LockPatience> {
  folder?: URL;
}

/**
 * Applies the migrations that the database lacks, brings grants and the job queue's own tables up to date, and returns the names
 * of the former, oldest first. Safe while servers run: no statement waits for a lock, and so makes requests wait, for
 * longer than a second; one process at a time migrates.
 *
 * @param connectionString a Postgres URL of the role that owns the tables; not through a pooler in transaction mode
 * @throws MigrationHistoryError when a migration was edited after it ran, or failed half-way
 * @throws MigrationBlockedError when it did not get its locks, or its turn, in good time
 */
export async function migrate(
  connectionString: string,
  { folder = PRISMA_FOLDER, ...given }: MigrateOptions = {},
): Promise<string[]> {
  const patience: LockPatience = { ...PATIENCE, ...given };
  const { lockTimeoutMs } = patience;
  const migrationsList = await readMigrations(folder);
  return withMigrationLock(connectionString, patience, async () => {
    const pending = await withSchemaEngine(connectionString, { lockTimeoutMs }, async (engine) => {
      await takeUp(engine, migrationsList);
      return unappliedOf(await diagnose(engine, migrationsList));
    });
    const apply = async () => {
      try {
        await withSchemaEngine(connectionString, { lockTimeoutMs }, (engine) =>
          engine.applyMigrations({ migrationsList, filters: NO_FILTERS }),
        );
      } catch (error) {
        // It was one transaction: nothing of it is left, and its history has to say so before it may be run again.
        if (isLockTimeout(error))
          await withSchemaEngine(connectionString, {}, (engine) => markFailedRolledBack(engine, migrationsList));
        throw error;
      }
    };
    if (pending.length > 0) await retryWhileLocked(connectionString, pending.join(', '), patience, apply);
    await grantToApplication(connectionString);
    const queue = () => installJobQueue(connectionString, lockTimeoutMs);
    await retryWhileLocked(connectionString, 'the tables of the job queue', patience, queue);
    return pending;
  });
}

/**
 * Says of a migration that failed half-way, and that somebody has looked after, that the database has what it makes
 * (`applied`) or has none of it (`rolled-back`), so that migrating may go on.
 *
 * @throws Error when the migration is unknown or did not fail
 */
export async function resolveMigration(
  connectionString: string,
  migrationName: string,
  outcome: 'applied' | 'rolled-back',
  folder = PRISMA_FOLDER,
): Promise<void> {
  const migrationsList = await readMigrations(folder);
  await withSchemaEngine(connectionString, {}, async (engine) => {
    const { failedMigrationNames } = await diagnose(engine, migrationsList);
    if (!failedMigrationNames.includes(migrationName))
      throw new Error(`No migration of the name ${migrationName} failed half-way. Nothing was changed.`);
    await engine.markMigrationRolledBack({ migrationName });
    if (outcome === 'applied') await engine.markMigrationApplied({ migrationName, migrationsList });
  });
}

/** Returns the names of the migrations of this release that the database lacks. */
export async function pendingMigrations(connectionString: string, folder = PRISMA_FOLDER): Promise<string[]> {
  const migrationsList = await readMigrations(folder);
  return withSchemaEngine(connectionString, {}, async (engine) => unappliedOf(await diagnose(engine, migrationsList)));
}

/**
 * Returns the SQL that leads from the migrations to `schema.prisma`; empty when they agree. Creates and drops a
 * shadow database, so the role must be allowed to create one.
 */
export async function missingMigrationSql(connectionString: string, folder = PRISMA_FOLDER): Promise<string> {
  const migrations = await readMigrations(folder);
  const content = await readFile(new URL('schema.prisma', folder), 'utf8');
  return withSchemaEngine(connectionString, { schema: content }, async (engine) => {
    const result = await engine.diff({
      from: { tag: 'migrations', ...migrations },
      to: { tag: 'schemaDatamodel', files: [{ path: 'schema.prisma', content }] },
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    });
    const sql = (result.stdout ?? '').trim();
    return sql.startsWith('-- This is an empty migration') ? '' : sql;
  });
}
