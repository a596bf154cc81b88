import { AsyncLocalStorage } from 'node:async_hooks';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from '../generated/prisma/client.ts';
import { appliedMigrations, type DatabaseFacts, type DatabaseLogin, readDatabaseFacts, readLogin } from './facts.ts';
import { type JobPool, openJobPool } from './job-pool.ts';
import { migrationNames } from './migration-names.ts';
import { APPLICATION_ROLE, JOB_SCHEMA } from './names.ts';
import { type OperatorFacts, type PoolFacts, readOperatorFacts } from './operator-facts.ts';
import { readSecretKeys, type SecretKeyUse } from './secret-keys.ts';
import { TenantPool } from './tenant-pool.ts';
import { tellUnavailable } from './unavailable.ts';

/** Prisma as the services see it: every model and raw queries, always for one tenant. */
export type TenantPrisma = Omit<PrismaClient, `$${string}`> & Pick<PrismaClient, '$queryRaw' | '$executeRaw'>;

/** The database of one tenant. There is no other way to a table. */
export interface TenantDatabase {
  readonly tenantId: string;
  /** Runs queries outside a transaction. */
  run<T>(work: (prisma: TenantPrisma) => Promise<T>): Promise<T>;
  /** Runs queries in one transaction that commits when `work` resolves. Never talk to Microsoft inside it. */
  transaction<T>(work: (prisma: TenantPrisma) => Promise<T>): Promise<T>;
  /**
   * Runs a prepared statement of our own on the connections under Prisma, for reads in which Prisma costs more than the
   * database. Its first parameter is the tenant, so that here, too, row security is not the only lock.
   *
   * @returns the one value of its one row
   */
  readValue<T>(statement: PreparedStatement, parameters: readonly unknown[]): Promise<T>;
}

/** A statement under a name that no other text has: each connection prepares it once and keeps it. */
export interface PreparedStatement {
  readonly name: string;
  readonly text: string;
}

export interface Database {
  /** Who logged in, as it was when the database was opened. */
  readonly login: DatabaseLogin;
  /** @throws when the tenant id is empty */
  forTenant(tenantId: string): TenantDatabase;
  /** Connections for the job queue alone; the caller ends them. */
  openJobPool(max: number): JobPool;
  /** Rejects when Postgres does not answer. */
  ping(): Promise<void>;
  /** What is known of the database itself. @throws DatabaseUnavailableError when Postgres does not answer */
  facts(): Promise<DatabaseFacts>;
  /** Numbers over all tenants. Rejects when Postgres does not answer within two seconds. */
  operatorFacts(): Promise<OperatorFacts>;
  /** The pool that serves tenants, at this moment. */
  poolFacts(): PoolFacts;
  /** Which encryption keys the stored secrets of all tenants need. @throws as readSecretKeys, or DatabaseUnavailableError */
  secretKeys(): Promise<SecretKeyUse[]>;
  close(): Promise<void>;
}

/** The database can be reached but must not be used as it is; the message says what to change. */
export class DatabaseRefusedError extends Error {
  override readonly name = 'DatabaseRefusedError';
}

const tenants = new AsyncLocalStorage<string>();

/**
 * Adds the tenant to what a query asks for, so that row security is the second lock and not the only one.
 * `findUnique` is refused because Prisma merges those of one tick into one query, whoever asked.
 */
const tenantGuard = Prisma.defineExtension((client) =>
  client.$extends({
    query: {
      $allModels: {
        async $allOperations({ operation, args, query }) {
          const tenantId = currentTenant();
          if (operation.startsWith('findUnique'))
            throw new Error('Use findFirst: findUnique is batched across tenants');
          const asked = (args ?? {}) as Record<string, unknown>;
          if (operation.startsWith('create')) return query(args);
          if (operation === 'upsert' || operation === 'update' || operation === 'delete') {
            return query({ ...asked, where: { ...(asked.where as object), tenantId } } as typeof args);
          }
          return query({ ...asked, where: { AND: [{ tenantId }, asked.where ?? {}] } } as typeof args);
        },
      },
    },
  }),
);

function currentTenant(): string {
  const tenantId = tenants.getStore();
  if (tenantId === undefined) throw new Error('A query was made outside a tenant');
  return tenantId;
}

/** Finds the role under which row security binds, or refuses a database in which nothing would bind. */
async function roleToUse(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ exempt: boolean; user: string; lowers: boolean | null }>(
    `SELECT current_user AS user, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS exempt,
            (SELECT pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = $1) AS lowers`,
    [APPLICATION_ROLE],
  );
  const row = rows[0];
  if (row?.lowers === true) return APPLICATION_ROLE;
  if (row?.exempt === false) return undefined;
  throw new DatabaseRefusedError(
    `The database role "${row?.user}" bypasses row security and cannot lower itself to "${APPLICATION_ROLE}". ` +
      'Use a role without SUPERUSER and BYPASSRLS, or create that role and run `npm run db:migrate` again.',
  );
}

/**
 * Refuses a database that lacks migrations of this release. Newer ones are no reason to refuse: during an update the
 * old release serves on. A role that may not read Prisma's own table is told only about an empty database.
 */
async function refuseUnmigrated(client: pg.Client): Promise<void> {
  const applied = await appliedMigrations(client);
  if (applied === 'none')
    throw new DatabaseRefusedError('The database has no tables yet. Run `npm run db:migrate` first.');
  if (applied === 'hidden') return;
  const missing = (await migrationNames()).filter((name) => !applied.includes(name));
  if (missing.length > 0)
    throw new DatabaseRefusedError(
      `The database lacks migrations of this release: ${missing.join(', ')}. Run \`npm run db:migrate\` first.`,
    );
}

/** The queue's tables are made by the same command, after the migrations. */
async function refuseWithoutJobQueue(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regnamespace($1) IS NOT NULL AS there', [
    JOB_SCHEMA,
  ]);
  if (rows[0]?.there !== true)
    throw new DatabaseRefusedError('The database lacks the job queue. Run `npm run db:migrate` first.');
}

/** A login of its own that was never let into the tables would start, be ready, and fail every request. */
async function refuseWithoutPrivileges(client: pg.Client, role: string | undefined): Promise<void> {
  const { rows } = await client.query<{ allowed: boolean | null; user: string }>(
    "SELECT current_user AS user, has_table_privilege(coalesce($1, current_user), to_regclass('online_meetings'), 'SELECT') AS allowed",
    [role ?? null],
  );
  const [row] = rows;
  if (row?.allowed === true) return;
  throw new DatabaseRefusedError(
    `The database role "${row?.user}" may not read the tables. As their owner, run: GRANT ${APPLICATION_ROLE} TO "${row?.user}"`,
  );
}

/** Looks at the database once, before any connection of the pool is made. */
async function inspect(connectionString: string): Promise<{ role: string | undefined; login: DatabaseLogin }> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000, query_timeout: 10_000 });
  await client.connect();
  try {
    await refuseUnmigrated(client);
    await refuseWithoutJobQueue(client);
    const role = await roleToUse(client);
    await refuseWithoutPrivileges(client, role);
    return { role, login: await readLogin(client) };
  } finally {
    await client.end();
  }
}

/**
 * Opens the database for serving.
 *
 * @throws DatabaseRefusedError when migrations of this release are missing, or row security would not bind this role
 */
export async function openDatabase(options: { connectionString: string; poolSize: number }): Promise<Database> {
  const { role, login } = await inspect(options.connectionString);
  const pool = new TenantPool({
    connectionString: options.connectionString,
    role,
    max: options.poolSize,
    currentTenant,
  });
  const adapter = new PrismaPg(pool, { onPoolError: () => undefined });
  // Errors go into the log: in any other form they quote the arguments of the query.
  const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' }).$extends(tenantGuard);

  return {
    login,
    forTenant(tenantId) {
      if (tenantId === '') throw new Error('A tenant id is empty');
      return {
        tenantId,
        run: (work) =>
          tellUnavailable(() => tenants.run(tenantId, async () => await work(prisma as unknown as TenantPrisma))),
        transaction: (work) =>
          tellUnavailable(() =>
            tenants.run(tenantId, () =>
              prisma.$transaction((tx) => work(tx as unknown as TenantPrisma), { maxWait: 5_000, timeout: 10_000 }),
            ),
          ),
        readValue: ({ name, text }, parameters) =>
          tellUnavailable(() =>
            tenants.run(tenantId, async () => {
              const query = { name, text, values: [tenantId, ...parameters], rowMode: 'array' };
              const { rows } = (await pool.query(query)) as { rows: unknown[][] };
              return rows[0]?.[0] as never;
            }),
          ),
      };
    },
    openJobPool: (max) => openJobPool(options.connectionString, role, max),
    ping: () => pool.ping(),
    secretKeys: () => tellUnavailable(() => readSecretKeys(options.connectionString, role)),
    facts: () => tellUnavailable(() => readDatabaseFacts(options.connectionString)),
    operatorFacts: () => readOperatorFacts((text) => pool.runUnbound(text) as ReturnType<typeof pool.query>),
    poolFacts: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: options.poolSize,
    }),
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
