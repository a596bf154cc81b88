import pg from 'pg';
import { inSpan, isTracing, SpanKind } from '../telemetry/tracing.ts';

/**
 * Run on a new connection: prepared once, a binding costs a Bind and an Execute message per statement. What has a name is
 * planned once for whatever it is asked with: to plan it takes longer than to find one meeting, and Postgres would do so
 * every time, as it cannot know how many ids there are.
 */
const BINDINGS = {
  bind_tenant: "PREPARE bind_tenant(text) AS SELECT set_config('app.tenant_id', $1, true)",
  bind_tenant_planned: `PREPARE bind_tenant_planned(text) AS
    SELECT set_config('app.tenant_id', $1, true), set_config('plan_cache_mode', 'force_generic_plan', true)`,
};

/** The parts of pg's connection and query that are used here and that its type package leaves out. */
interface ProtocolConnection {
  bind(message: { portal: string; statement: string; values: string[]; valueMapper: (value: string) => string }): void;
  execute(message: { portal: string; rows: number }): void;
}
interface ProtocolQuery {
  prepare(connection: ProtocolConnection): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: ProtocolConnection): void;
}
type QueryConstructor = new (
  config: pg.QueryConfig & { queryMode: 'extended' },
  values?: unknown,
) => pg.Query & ProtocolQuery;
const ExtendedQuery = pg.Query as unknown as QueryConstructor;

/**
 * One statement that carries its tenant. The binding and the statement travel in one message group that ends in one
 * Sync, so Postgres runs both in one implicit transaction: `set_config(…, true)` is undone at its end, whether the
 * statement succeeded, failed or was cancelled, and no second round trip is made. (PostgreSQL manual, "Message Flow:
 * Pipelining".)
 */
class TenantQuery extends ExtendedQuery {
  readonly #tenantId: string;
  readonly #binding: keyof typeof BINDINGS;
  #bound = false;

  constructor(config: pg.QueryConfig, tenantId: string) {
    super({ ...config, queryMode: 'extended' });
    this.#tenantId = tenantId;
    this.#binding = config.name === undefined ? 'bind_tenant' : 'bind_tenant_planned';
  }

  override prepare(connection: ProtocolConnection): void {
    connection.bind({ portal: '', statement: this.#binding, values: [this.#tenantId], valueMapper: (value) => value });
    connection.execute({ portal: '', rows: 0 });
    super.prepare(connection);
  }

  override handleDataRow(message: unknown): void {
    if (this.#bound) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: ProtocolConnection): void {
    if (this.#bound) super.handleCommandComplete(message, connection);
    else this.#bound = true;
  }
}

const TRANSACTION_CONTROL = /^\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET TRANSACTION)\b/i;

/** Sends a statement of our own, without a tenant. */
function sendPlain(client: pg.ClientBase, text: string, query_timeout = QUERY_TIMEOUT_MS): Promise<unknown> {
  const send = pg.Client.prototype.query as (this: pg.ClientBase, query: object) => Promise<unknown>;
  return send.call(client, { text, query_timeout });
}

const QUERY_TIMEOUT_MS = 15_000;

type QueryInput = pg.QueryConfig | string;

const TRACED_LENGTH = 2_000;

/** One span a statement. Its text has `$1` for every value: values are bound, and no trace has them. */
function traced<T>(text: string, send: () => Promise<T>): Promise<T> {
  const operation = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'SQL';
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    'db.query.text': text.slice(0, TRACED_LENGTH),
  };
  return inSpan(operation, { kind: SpanKind.CLIENT, attributes }, send);
}

/** A client that refuses to send a statement as long as no tenant has checked it out. */
class TenantClient extends pg.Client {
  tenantId: string | undefined;

  /** Sends one statement for the tenant that holds this client. Transaction control needs no tenant. */
  run(input: QueryInput): Promise<pg.QueryArrayResult> {
    const config = typeof input === 'string' ? { text: input } : input;
    return isTracing() ? traced(config.text, () => this.#send(config)) : this.#send(config);
  }

  #send(config: pg.QueryConfig): Promise<pg.QueryArrayResult> {
    const plain = super.query.bind(this) as (config: pg.QueryConfig) => Promise<pg.QueryArrayResult>;
    if (TRANSACTION_CONTROL.test(config.text)) return plain(config);
    const { tenantId } = this;
    if (tenantId === undefined) throw new Error('A statement was sent on a connection that no tenant holds');
    return new Promise((resolve, reject) => {
      const query = new TenantQuery(config, tenantId) as TenantQuery & { callback: unknown };
      query.callback = (error: Error | null, result: pg.QueryArrayResult) => (error ? reject(error) : resolve(result));
      super.query(query as unknown as pg.Submittable);
    });
  }
}

/** After an error of the statement the connection is sound; after any other it is not. */
function isBroken(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.severity === 'FATAL' || error.severity === 'PANIC';
}

export interface TenantPoolOptions {
  connectionString: string;
  /** The role that each connection lowers itself to; undefined keeps the role that logged in. */
  role: string | undefined;
  max: number;
  /** Who is asking, read when a query or a transaction begins. Throws when nobody is. */
  currentTenant: () => string;
}

/**
 * A pool in which every statement is bound to the tenant that asked for it. The tenant is captured when `query` or
 * `connect` is called, never later, so waiting for a free connection cannot change whose statement it is.
 */
export class TenantPool extends pg.Pool {
  readonly #currentTenant: () => string;

  constructor({ connectionString, role, max, currentTenant }: TenantPoolOptions) {
    super({
      connectionString,
      max,
      connectionTimeoutMillis: 10_000,
      // The server's own limit, and one of ours for a connection that is only half open.
      statement_timeout: QUERY_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS + 1_000,
      keepAlive: true,
      Client: TenantClient,
      onConnect: async (client: pg.ClientBase) => {
        // The pool listens only while a connection is idle: one that dies under a statement would end the process.
        client.on('error', () => undefined);
        if (role !== undefined) await sendPlain(client, `SET ROLE ${pg.escapeIdentifier(role)}`);
        for (const text of Object.values(BINDINGS)) await sendPlain(client, text);
      },
    });
    this.#currentTenant = currentTenant;
    // An idle connection that dies is replaced at the next query; without a listener it would end the process.
    this.on('error', () => undefined);
  }

  /** Checks a client out for the current tenant until it is released. */
  override async connect(): Promise<never> {
    const tenantId = this.#currentTenant();
    const client = (await super.connect()) as pg.PoolClient & TenantClient;
    client.tenantId = tenantId;
    const checkedOut = {
      query: (input: QueryInput) => client.run(input),
      on: client.on.bind(client),
      removeListener: client.removeListener.bind(client),
      release: (error?: Error | boolean) => {
        client.tenantId = undefined;
        client.release(error);
      },
    };
    return checkedOut as never;
  }

  /** Runs one statement for the current tenant. */
  override async query(input: unknown): Promise<never> {
    const tenantId = this.#currentTenant();
    const client = (await super.connect()) as pg.PoolClient & TenantClient;
    client.tenantId = tenantId;
    let broken = false;
    try {
      return (await client.run(input as QueryInput)) as never;
    } catch (error) {
      broken = isBroken(error);
      throw error;
    } finally {
      client.tenantId = undefined;
      client.release(broken);
    }
  }

  /** Tells whether the database answers; needs no tenant and shows no data. */
  async ping(): Promise<void> {
    await this.runUnbound('SELECT 1');
  }

  /** Runs a statement that needs no tenant: row security shows it no data. Ends within two seconds. */
  async runUnbound(text: string): Promise<unknown> {
    const client = await super.connect();
    let broken = true;
    try {
      const result = await sendPlain(client, text, 2_000);
      broken = false;
      return result;
    } finally {
      client.release(broken);
    }
  }
}
