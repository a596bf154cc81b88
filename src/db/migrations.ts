import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm/schema_engine_bg';
import { grantToApplication } from './application-role.ts';
import { installJobQueue } from './job-queue.ts';
import { migrationNames, PRISMA_FOLDER } from './migration-names.ts';
import { withSchemaEngine } from './schema-engine.ts';

const NO_FILTERS = { externalTables: [], externalEnums: [] };

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

/**
 * Applies the migrations that the database lacks, brings grants and the job queue's own tables up to date, and returns
 * their names, oldest first.
 *
 * @param connectionString a Postgres URL of the role that owns the tables
 * @throws MigrationHistoryError when a migration was edited after it ran, or failed half-way
 */
export async function migrate(connectionString: string, folder = PRISMA_FOLDER): Promise<string[]> {
  const migrationsList = await readMigrations(folder);
  const applied = await withSchemaEngine(connectionString, undefined, async (engine) => {
    const history = await engine.diagnoseMigrationHistory({
      migrationsList,
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    });
    const { editedMigrationNames: edited, failedMigrationNames: failed } = history;
    if (edited.length > 0) {
      throw new MigrationHistoryError(
        `Migrations were edited after they ran: ${edited.join(', ')}. Restore the released files and run again.`,
      );
    }
    if (failed.length > 0) {
      throw new MigrationHistoryError(
        `Migrations failed half-way: ${failed.join(', ')}. Repair the database, mark them with \`prisma migrate resolve\`, and run again.`,
      );
    }
    const result = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
    return result.appliedMigrationNames;
  });
  await grantToApplication(connectionString);
  await installJobQueue(connectionString);
  return applied;
}

/** Returns the names of the migrations of this release that the database lacks. */
export async function pendingMigrations(connectionString: string, folder = PRISMA_FOLDER): Promise<string[]> {
  const migrationsList = await readMigrations(folder);
  return withSchemaEngine(connectionString, undefined, async (engine) => {
    const { history } = await engine.diagnoseMigrationHistory({
      migrationsList,
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    });
    if (history === null || history.diagnostic === 'migrationsDirectoryIsBehind') return [];
    return history.unappliedMigrationNames;
  });
}

/**
 * Returns the SQL that leads from the migrations to `schema.prisma`; empty when they agree. Creates and drops a
 * shadow database, so the role must be allowed to create one.
 */
export async function missingMigrationSql(connectionString: string, folder = PRISMA_FOLDER): Promise<string> {
  const migrations = await readMigrations(folder);
  const content = await readFile(new URL('schema.prisma', folder), 'utf8');
  return withSchemaEngine(connectionString, content, async (engine) => {
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
