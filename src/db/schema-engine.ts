import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type ErrorRegistry,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { runMigrationScript } from './migration-script.ts';

const CHAR_OID = 18;
const CHAR_ARRAY_OID = 1002;

/**
 * Describing a database reads catalog columns of the type `"char"`, which Prisma's Postgres adapter (7.10) does not
 * know, though it knows arrays of it. They are announced as such, and `withSingleCharacters` takes the array back.
 */
class CatalogClient extends pg.Client {
  // The base class overloads `query` ten ways; the adapter and the pool use only these two.
  override query(...args: unknown[]): never {
    const relabel = (result: pg.QueryArrayResult | undefined) => {
      for (const field of result?.fields ?? []) if (field.dataTypeID === CHAR_OID) field.dataTypeID = CHAR_ARRAY_OID;
      return result;
    };
    const callback = args.at(-1);
    const run = super.query as (...parameters: unknown[]) => unknown;
    if (typeof callback === 'function') {
      const relabelled = (error: unknown, result: pg.QueryArrayResult | undefined) => callback(error, relabel(result));
      return run.call(this, ...args.slice(0, -1), relabelled) as never;
    }
    const answer = run.call(this, ...args);
    return (answer instanceof Promise ? answer.then(relabel) : answer) as never;
  }
}

type EngineAdapter = Awaited<ReturnType<PrismaPg['connect']>>;

/** Makes the adapter call `"char"` columns what the engine insists on: characters, not text. */
function withSingleCharacters(adapter: EngineAdapter): EngineAdapter {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query: SqlQuery) => {
    const result = await queryRaw(query);
    const columnTypes = result.columnTypes.map((type) =>
      type === ColumnTypeEnum.CharacterArray ? ColumnTypeEnum.Character : type,
    );
    return { ...result, columnTypes };
  };
  return adapter;
}

// TypeScript declares WebAssembly only together with a browser's globals.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

/** The engine's connections, which it does not close by itself: all are ended when the work is done. */
class EngineConnections implements SqlMigrationAwareDriverAdapterFactory {
  readonly provider = 'postgres';
  readonly adapterName = '@prisma/adapter-pg';
  readonly #pools: pg.Pool[] = [];
  readonly #connectionString: string;
  readonly #lockTimeoutMs: number;

  constructor(connectionString: string, lockTimeoutMs: number) {
    this.#connectionString = connectionString;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  connect() {
    return this.#open();
  }

  /** An empty database beside the main one in which the engine replays the migrations. */
  async connectToShadowDb() {
    const name = `prisma_shadow_${randomUUID().replaceAll('-', '')}`;
    const main = await this.#open();
    await main.executeScript(`CREATE DATABASE ${name}`);
    const shadow = await this.#open(name);
    const end = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await end();
      await main.executeScript(`DROP DATABASE ${name} WITH (FORCE)`);
    };
    return shadow;
  }

  async end(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => (pool.ended ? undefined : pool.end())));
  }

  async #open(database?: string) {
    // A whole connection string would win over the other database's name, so it is taken apart.
    const {
      host,
      port,
      user,
      password,
      database: own,
      ssl,
    } = new pg.Client({ connectionString: this.#connectionString });
    const parts = { host, port, user, password: password ?? undefined, ssl };
    const pool = new pg.Pool({
      ...parts,
      database: database ?? own,
      max: 2,
      Client: CatalogClient,
      onConnect: async (client: pg.ClientBase) => {
        await client.query(`SET lock_timeout = ${this.#lockTimeoutMs}`);
      },
    });
    pool.on('error', () => undefined);
    this.#pools.push(pool);
    const adapter = withSingleCharacters(await new PrismaPg(pool, { disposeExternalPool: true }).connect());
    // The adapter cuts a script at every semicolon, which breaks function bodies.
    adapter.executeScript = (script) => runMigrationScript(pool, script);
    return adapter;
  }
}

let loaded: Promise<void> | undefined;

/** Node cannot import `.wasm` as ES modules without a flag, so the module is instantiated by hand, once. */
async function load(): Promise<void> {
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(path.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...bindings } });
  bindings.__wbg_set_wasm(instance.exports);
  const { __wbindgen_start } = instance.exports;
  if (typeof __wbindgen_start === 'function') __wbindgen_start();
}

/**
 * Prisma's own schema engine, as WebAssembly from npm: it migrates without downloading a native binary, and writes
 * `_prisma_migrations` as Prisma's command line does, so both can be used on the same database.
 *
 * @param connectionString a Postgres URL of the role that owns (or will own) the tables
 * @param options.schema the text of `schema.prisma`; only needed to write new migrations
 * @param options.lockTimeoutMs how long a statement may wait for a lock; for ever by default
 * @param use what to do with the engine; it is released afterwards
 */
export async function withSchemaEngine<T>(
  connectionString: string,
  { schema, lockTimeoutMs = 0 }: { schema?: string; lockTimeoutMs?: number },
  use: (engine: bindings.SchemaEngine) => Promise<T>,
): Promise<T> {
  loaded ??= load();
  await loaded;
  const connections = new EngineConnections(connectionString, lockTimeoutMs);
  const factory = bindMigrationAwareSqlAdapterFactory(connections);
  const datamodels: [string, string][] | undefined = schema === undefined ? undefined : [['schema.prisma', schema]];
  let engine: bindings.SchemaEngine | undefined;
  try {
    engine = await bindings.SchemaEngine.new({ datamodels }, () => undefined, factory);
    return await use(engine);
  } catch (error) {
    throw causeOf(error, factory.errorRegistry);
  } finally {
    engine?.free();
    await connections.end();
  }
}

/** The engine names what our connection threw by a number only; the registry holds the error itself. */
function causeOf(error: unknown, registry: ErrorRegistry): unknown {
  const id = error instanceof Error ? /External error id#(\d+)/.exec(error.message)?.[1] : undefined;
  const cause = id === undefined ? undefined : registry.consumeError(Number(id))?.error;
  return cause ?? error;
}
