import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runOnce } from 'graphile-worker';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { SimulatorControl } from '../../simulator/control.ts';
import { demoWorld } from '../../simulator/seed.ts';
import { startSimulator } from '../../simulator/server.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { freePort } from '../../src/db/free-port.ts';
import { createGraphService, type GraphServiceOptions } from '../../src/graph/service.ts';
import { createTasks } from '../../src/jobs/tasks.ts';
import { workerLogger } from '../../src/jobs/worker.ts';
import { type AppOptions, createApp } from '../../src/server/app.ts';
import { createAuthenticator } from '../../src/server/authenticator.ts';
import { createMetrics } from '../../src/server/metrics.ts';
import type { MailTransport } from '../../src/services/invitations/mail-transport.ts';
import type { ServiceTools } from '../../src/services/scope.ts';
import { createServices, type ServiceOptions, type Services } from '../../src/services/services.ts';
import { traceFields } from '../../src/telemetry/tracing.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { executeBothWays } from './execute-both-ways.ts';
import { AUDIENCE, createTokenMaker, ISSUER, type TokenMaker } from './tokens.ts';

export interface GraphQLAnswer<Data> {
  status: number;
  data: Data | null;
  errors: { message: string; path?: (string | number)[]; extensions: { code: string } }[];
}

/** A whole subgraph with a database, a simulator and an identity provider of its own, over real HTTP. */
export interface TestSubgraph {
  url: string;
  simulator: SimulatorControl;
  simulatorUrl: string;
  database: TestDatabase;
  /** The subgraph's own handle, bound to tenants. */
  db: Database;
  services: Services;
  tokens: TokenMaker;
  /** Every log line, parsed. */
  logs: Record<string, unknown>[];
  /**
   * Runs the jobs that are due, and those that become due by it, until none is left.
   * @param early also runs those that are planned for later; once each
   */
  runJobs(options?: { early?: boolean }): Promise<void>;
  /** Moves the subgraph's clock; the simulator has its own. */
  advanceClock(milliseconds: number): void;
  /** Sends an operation; without a token, nobody's. */
  send<Data = Record<string, unknown>>(
    token: string | null,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<GraphQLAnswer<Data>>;
  close(): Promise<void>;
}

export interface TestSubgraphOptions {
  isProduction?: boolean;
  introspection?: boolean;
  /** Serves the explorer. */
  explorer?: AppOptions['explorer'];
  graph?: Partial<GraphServiceOptions>;
  poolSize?: number;
  /** How long the caller of an operation waits for Microsoft. */
  answerWithinMs?: number;
  /** Where the keys of tokens are, instead of the test's own. */
  jwksUrl?: string;
  psaWebhookSecrets?: string[];
  psaEvents?: ServiceOptions['psaEvents'];
  /** Takes the place of services, where a test stands beside one that has tests of its own. */
  replace?: (tools: ServiceTools) => Partial<Services>;
  /** Where invitation mails go. */
  mail?: MailTransport;
  /** The public address is the one where the test's subgraph listens, so that the simulator can call it. */
  isCallable?: boolean;
  publicUrl?: string;
  linkSigningKeys?: { id: string; bytes: Buffer }[];
  notificationsPerMinute?: number;
  arrivalLimits?: AppOptions['arrivalLimits'];
  trustedProxies?: string[];
  /** Executes as in production; otherwise every query is executed both ways and the answers are compared. */
  isExecutedOnce?: boolean;
  admission?: AppOptions['admission'];
  /** What else the services are made with: a blob store, keys of links, how long links of recordings work. */
  services?: Partial<
    Pick<ServiceOptions, 'blobs' | 'copyLimits' | 'encryptionKeys' | 'linkSigningKeys' | 'recordingLinkMinutes'>
  >;
}

/** Lets a run of jobs end only when every job's end is noted. */
const NOTED = { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } };

const RUNNABLE = `SELECT 1 FROM graphile_worker.jobs WHERE run_at <= now() AND locked_at IS NULL AND attempts < max_attempts
  AND task_identifier = ANY ($1) AND (queue_name IS NULL OR queue_name NOT IN
    (SELECT queue_name FROM graphile_worker._private_job_queues WHERE locked_at IS NOT NULL)) LIMIT 1`;

/** Sends operations to a subgraph that listens there. */
export function sendTo(url: string): TestSubgraph['send'] {
  return async <Data>(token: string | null, query: string, variables: Record<string, unknown> = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    const body = (await response.json()) as { data?: Data; errors?: GraphQLAnswer<Data>['errors'] };
    return { status: response.status, data: body.data ?? null, errors: body.errors ?? [] };
  };
}

/** Starts everything; each test file starts its own and closes it. */
export async function startTestSubgraph({
  isProduction = false,
  introspection = true,
  explorer,
  graph = {},
  poolSize = 5,
  answerWithinMs,
  jwksUrl,
  mail,
  psaWebhookSecrets = [],
  psaEvents,
  replace = () => ({}),
  isCallable = false,
  publicUrl = 'http://subgraph.invalid',
  linkSigningKeys,
  notificationsPerMinute,
  arrivalLimits,
  trustedProxies,
  isExecutedOnce = false,
  admission,
  services: serviceOptions = {},
}: TestSubgraphOptions = {}): Promise<TestSubgraph> {
  const directory = await mkdtemp(join(tmpdir(), 'subgraph-test-'));
  const [database, simulator, tokens] = await Promise.all([createTestDatabase(), startSimulator(), createTokenMaker()]);
  await simulator.control.load(demoWorld());
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(tokens.jwks));

  let offset = 0;
  const clock = () => new Date(Date.now() + offset);
  const logs: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'debug', mixin: traceFields },
    { write: (line: string) => void logs.push(JSON.parse(line)) },
  );
  const key = () => [{ id: 'test', bytes: randomBytes(32) }];

  const port = isCallable ? await freePort() : 0;
  const db = await openDatabase({ connectionString: database.applicationUrl, poolSize });
  const metrics = createMetrics();
  const graphService = createGraphService({
    graphBaseUrl: simulator.url,
    entraBaseUrl: simulator.url,
    clock,
    logger,
    observer: metrics,
    ...graph,
  });
  const tools: ServiceTools = {
    clock,
    newId: uuidv7,
    sleep: graph.sleep ?? ((milliseconds) => setTimeout(milliseconds)),
    random: graph.random ?? Math.random,
    logger,
    metrics,
  };
  const created = createServices({
    graph: graphService,
    encryptionKeys: key(),
    linkSigningKeys: linkSigningKeys ?? key(),
    publicUrl: isCallable ? `http://127.0.0.1:${port}` : publicUrl,
    mail,
    inspectDatabase: () => db.facts(),
    ...(answerWithinMs === undefined ? {} : { answerWithinMs }),
    psaEvents,
    ...serviceOptions,
    tools,
  });
  const services = { ...created, ...replace(tools) };
  const authenticate = await createAuthenticator(
    { jwks: jwksUrl === undefined ? { file: jwksFile } : { url: jwksUrl }, issuer: ISSUER, audience: AUDIENCE },
    clock,
  );
  const app = await createApp({
    database: db,
    services,
    authenticate,
    metrics,
    logger,
    psaWebhookSecrets,
    ...(notificationsPerMinute === undefined ? {} : { notificationsPerMinute }),
    ...(arrivalLimits === undefined ? {} : { arrivalLimits }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    ...(admission === undefined ? {} : { admission }),
    introspection,
    explorer,
    isProduction,
    makeExecute: isExecutedOnce ? undefined : (schema) => executeBothWays(schema, logger),
  });
  const url = await app.listen('127.0.0.1', port);
  const jobs = db.openJobPool(3);
  const taskList = createTasks(db, services, metrics);

  return {
    url,
    simulator: simulator.control,
    simulatorUrl: simulator.url,
    database,
    db,
    services,
    tokens,
    logs,
    async runJobs({ early = false } = {}) {
      if (early) await database.query('UPDATE graphile_worker._private_jobs SET run_at = now() WHERE run_at > now()');
      // A job's end is noted beside the search for the next one: one that waited for it may be found only by a new search.
      do {
        await runOnce({
          pgPool: jobs.pool,
          taskList,
          noHandleSignals: true,
          logger: workerLogger(logger),
          preset: NOTED,
        });
      } while ((await database.query(RUNNABLE, [Object.keys(taskList)])).length > 0);
    },
    advanceClock: (milliseconds) => {
      offset += milliseconds;
    },
    send: sendTo(url),
    async close() {
      await app.stop();
      await services.idle();
      await jobs.end();
      await db.close();
      await Promise.all([simulator.close(), database.drop(), rm(directory, { recursive: true, force: true })]);
    },
  };
}

/** Rewrites a signed link, which names the public address, to the address where the test's subgraph listens. */
export function reachable(subgraph: TestSubgraph, link: string): string {
  const { pathname, search } = new URL(link);
  return `${subgraph.url}${pathname}${search}`;
}
