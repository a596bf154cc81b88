import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { BlobStoreLocation } from './blobs/location.ts';
import {
  blobStore,
  eventsUrl,
  gatewaySecrets,
  isWebhookSecret,
  keyRing,
  LOOPBACK,
  microsoftUrl,
  onOff,
  perMinute,
  port,
  postgresUrl,
  proxies,
  publicUrl,
  type SecretKey,
  sender,
  smtpUrl,
  WEBHOOK_SECRET,
  webhookSecrets,
} from './config-values.ts';

export type { SecretKey } from './config-values.ts';

/** Everything that is wrong with the environment, in one message for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const schema = z
  .object({
    NODE_ENV: z.enum(['development', 'test', 'production']).default('production'),
    DATABASE_URL: postgresUrl,
    DATABASE_POOL_SIZE: z.coerce.number().int().min(1).max(500).default(10),
    HOST: z.string().default('0.0.0.0'),
    PORT: port.default(4001),
    PUBLIC_URL: publicUrl,
    TRUSTED_PROXIES: proxies.optional(),
    GATEWAY_SECRETS: gatewaySecrets.optional(),
    VIEWER_REQUESTS_PER_MINUTE: perMinute.default(1_200),
    TENANT_REQUESTS_PER_MINUTE: perMinute.default(12_000),
    ANONYMOUS_REQUESTS_PER_MINUTE: perMinute.default(600),
    MAX_EVENT_LOOP_DELAY_MS: z.coerce.number().int().min(0).max(60_000).optional(),
    AUTH_JWKS_URL: publicUrl.optional(),
    AUTH_JWKS_FILE: z.string().min(1).optional(),
    AUTH_ISSUER: z.string().min(1),
    AUTH_AUDIENCE: z.string().min(1),
    ENCRYPTION_KEYS: keyRing,
    LINK_SIGNING_KEYS: keyRing,
    GRAPH_BASE_URL: microsoftUrl.optional(),
    ENTRA_BASE_URL: microsoftUrl.optional(),
    PSA_WEBHOOK_SECRET: webhookSecrets.optional(),
    PSA_EVENTS_URL: eventsUrl.optional(),
    PSA_EVENTS_SECRET: z.string().refine(isWebhookSecret, WEBHOOK_SECRET).optional(),
    SMTP_URL: smtpUrl.optional(),
    SMTP_FROM: sender.optional(),
    BLOB_STORE: blobStore.optional(),
    RECORDING_LINK_MINUTES: z.coerce.number().int().min(1).max(1_440).default(15),
    EXPLORER: onOff.optional(),
    INTROSPECTION: onOff.optional(),
    DEVELOPMENT_SECRETS: z.string().min(1).optional(),
    WORKER_CONCURRENCY: z.coerce.number().int().min(0).max(100).default(4),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    OTEL_EXPORTER_OTLP_ENDPOINT: publicUrl.optional(),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: publicUrl.optional(),
    OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
    OTEL_SDK_DISABLED: z.string().optional(),
  })
  .refine((env) => (env.AUTH_JWKS_URL === undefined) !== (env.AUTH_JWKS_FILE === undefined), {
    path: ['AUTH_JWKS_URL'],
    message: 'exactly one of AUTH_JWKS_URL and AUTH_JWKS_FILE must be set',
    // Told together with everything else that is wrong, not only when nothing else is.
    when: () => true,
  })
  .refine(
    (env) => env.DEVELOPMENT_SECRETS === undefined || (env.NODE_ENV === 'development' && LOOPBACK.has(env.HOST)),
    {
      path: ['DEVELOPMENT_SECRETS'],
      message: 'is for npm start: with it the server gives anybody a token, so it must not be set here',
      when: () => true,
    },
  )
  .refine((env) => (env.PSA_EVENTS_URL === undefined) === (env.PSA_EVENTS_SECRET === undefined), {
    path: ['PSA_EVENTS_URL'],
    message: 'PSA_EVENTS_URL and PSA_EVENTS_SECRET must be set both or neither',
    when: () => true,
  })
  .refine((env) => env.SMTP_URL === undefined || env.SMTP_FROM !== undefined, {
    path: ['SMTP_FROM'],
    message: 'must be set where SMTP_URL is: it is the sender of the mails',
    when: () => true,
  });

/** The name of every variable that {@link loadConfig} reads. */
export const SERVE_VARIABLES: readonly string[] = Object.keys(schema.shape);

export interface Config {
  isProduction: boolean;
  database: { url: string; poolSize: number };
  listen: { host: string; port: number };
  publicUrl: string;
  /** Whose `X-Forwarded-For` is believed; empty: nobody's. */
  trustedProxies: string[];
  /** Who may ask GraphQL, and how much; a number of 0 is no limit. */
  admission: {
    /** What the gateway shows, any of them; empty: everybody may ask. */
    gatewaySecrets: string[];
    perMinute: { viewer: number; tenant: number; anonymous: number };
    shedding: { maxEventLoopDelayMs: number };
  };
  auth: { jwks: { url: string } | { file: string }; issuer: string; audience: string };
  encryptionKeys: SecretKey[];
  linkSigningKeys: SecretKey[];
  microsoft: { graphBaseUrl: string | undefined; entraBaseUrl: string | undefined };
  /** What the PSA signs its events with, any of them; empty: its events are not taken. */
  psaWebhookSecrets: string[];
  /** Where our events go and what signs them; undefined: none are sent. */
  psaEvents: { url: string; secret: string } | undefined;
  /** Where invitation mails go and who sends them; undefined: none are sent. */
  mail: { url: string; from: string } | undefined;
  /** Where copies of recordings are kept; undefined: none are made. */
  blobStore: BlobStoreLocation | undefined;
  /** How long the link of a recording works. */
  recordingLinkMinutes: number;
  introspection: boolean;
  /** Whether the explorer is served at `/`. */
  explorer: boolean;
  /** The folder of the development secrets, with which the explorer hands out tokens; undefined in production. */
  developmentSecrets: string | undefined;
  /** How many jobs this process runs at once; 0 leaves them to others. */
  workerConcurrency: number;
  logLevel: string;
  /** How much is traced; undefined: nothing. Where to is read by OpenTelemetry's exporter itself. */
  tracing: { sampleRatio: number } | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** An empty variable is what a template leaves behind: it counts as unset. */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}

/**
 * Reads the environment of `npm run serve`.
 *
 * @throws ConfigError with one line for each variable that is missing or wrong
 */
export function loadConfig(env: Environment = process.env): Config {
  const parsed = schema.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      const missing = issue.code === 'invalid_type' && withoutEmpty(env)[name] === undefined;
      return `  ${name}: ${missing ? 'is missing' : issue.message}`;
    });
    throw new ConfigError(
      `The configuration is not usable:\n${lines.join('\n')}\nSee .env.example for every variable.`,
    );
  }
  const values = parsed.data;
  return {
    isProduction: values.NODE_ENV === 'production',
    database: { url: values.DATABASE_URL, poolSize: values.DATABASE_POOL_SIZE },
    listen: { host: values.HOST, port: values.PORT },
    publicUrl: values.PUBLIC_URL,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    admission: {
      gatewaySecrets: values.GATEWAY_SECRETS ?? [],
      perMinute: {
        viewer: values.VIEWER_REQUESTS_PER_MINUTE,
        tenant: values.TENANT_REQUESTS_PER_MINUTE,
        anonymous: values.ANONYMOUS_REQUESTS_PER_MINUTE,
      },
      // A development machine that sleeps or compiles is no server under load.
      shedding: {
        maxEventLoopDelayMs: values.MAX_EVENT_LOOP_DELAY_MS ?? (values.NODE_ENV === 'production' ? 1_000 : 0),
      },
    },
    auth: {
      jwks: values.AUTH_JWKS_URL !== undefined ? { url: values.AUTH_JWKS_URL } : { file: values.AUTH_JWKS_FILE ?? '' },
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
    },
    encryptionKeys: values.ENCRYPTION_KEYS,
    linkSigningKeys: values.LINK_SIGNING_KEYS,
    microsoft: { graphBaseUrl: values.GRAPH_BASE_URL, entraBaseUrl: values.ENTRA_BASE_URL },
    psaWebhookSecrets: values.PSA_WEBHOOK_SECRET ?? [],
    psaEvents:
      values.PSA_EVENTS_URL === undefined || values.PSA_EVENTS_SECRET === undefined
        ? undefined
        : { url: values.PSA_EVENTS_URL, secret: values.PSA_EVENTS_SECRET },
    mail:
      values.SMTP_URL === undefined || values.SMTP_FROM === undefined
        ? undefined
        : { url: values.SMTP_URL, from: values.SMTP_FROM },
    blobStore: values.BLOB_STORE,
    recordingLinkMinutes: values.RECORDING_LINK_MINUTES,
    introspection: values.INTROSPECTION ?? values.NODE_ENV !== 'production',
    explorer: values.EXPLORER ?? values.NODE_ENV !== 'production',
    developmentSecrets: values.DEVELOPMENT_SECRETS,
    workerConcurrency: values.WORKER_CONCURRENCY,
    logLevel: values.LOG_LEVEL,
    tracing: isTraced(values) ? { sampleRatio: values.OTEL_TRACES_SAMPLER_ARG } : undefined,
  };
}

/** By OpenTelemetry's own variables; a process is not traced unless it is told where to. */
function isTraced(values: z.infer<typeof schema>): boolean {
  const endpoint = values.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? values.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint !== undefined && values.OTEL_SDK_DISABLED?.toLowerCase() !== 'true';
}

/** Whether anything is set that `npm run serve` alone reads: what is not for it cannot be told wrong. */
export function hasServeEnvironment(env: Environment = process.env): boolean {
  const set = withoutEmpty(env);
  return ['PUBLIC_URL', 'AUTH_JWKS_URL', 'AUTH_JWKS_FILE', 'AUTH_ISSUER', 'ENCRYPTION_KEYS', 'LINK_SIGNING_KEYS'].some(
    (name) => set[name] !== undefined,
  );
}

const migrationSchema = z.object({
  MIGRATION_DATABASE_URL: postgresUrl.optional(),
  DATABASE_URL: postgresUrl.optional(),
});

/**
 * The database that `npm run db:migrate` works on, as the role that owns the tables (`url`) and as the login that serves
 * (`applicationUrl`); undefined means the embedded one.
 *
 * @throws ConfigError
 */
export function loadMigrationUrls(env: Environment = process.env): { url: string; applicationUrl: string } | undefined {
  const parsed = migrationSchema.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'));
  }
  const { MIGRATION_DATABASE_URL: owner, DATABASE_URL: application } = parsed.data;
  const url = owner ?? application;
  return url === undefined ? undefined : { url, applicationUrl: application ?? url };
}

const importSchema = z.object({ DATABASE_URL: postgresUrl, BLOB_STORE: blobStore.optional() });

/**
 * What `npm run import:alga` needs of the environment of `npm run serve`.
 *
 * @throws ConfigError
 */
export function loadImportConfig(env: Environment = process.env): { databaseUrl: string; canStoreRecordings: boolean } {
  const parsed = importSchema.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, code, message }) => {
      return `${path.join('.')} ${code === 'invalid_type' ? 'is missing: the database of this subgraph' : message}`;
    });
    throw new ConfigError(lines.join('\n'));
  }
  return { databaseUrl: parsed.data.DATABASE_URL, canStoreRecordings: parsed.data.BLOB_STORE !== undefined };
}

/** The folder of everything that a machine makes for itself in development: `DATA_DIRECTORY`, else `.data/`. */
export function loadDataDirectory(env: Environment = process.env): string {
  return resolve(env.DATA_DIRECTORY || fileURLToPath(new URL('../.data/', import.meta.url)));
}

const developmentSchema = z.object({
  DATABASE_URL: postgresUrl.optional(),
  MIGRATION_DATABASE_URL: postgresUrl.optional(),
  PORT: port.default(4001),
  GATEWAY_PORT: port.default(4000),
  PSA_CORE_PORT: port.default(4002),
  SIMULATOR_PORT: port.default(4010),
  LOG_LEVEL: z.string().default('warn'),
});

export interface DevelopmentConfig {
  databaseUrl: string | undefined;
  /** Of the role that owns the tables of `databaseUrl`; undefined: the same. */
  migrationUrl?: string | undefined;
  ports: { subgraph: number; gateway: number; psaCore: number; simulator: number };
  logLevel: string;
  /** What child processes inherit. */
  inherited: Environment;
}

/**
 * Reads what may be changed in `npm start`: every port, the log level, and a database of one's own.
 *
 * @throws ConfigError
 */
export function loadDevelopmentConfig(env: Environment = process.env): DevelopmentConfig {
  const parsed = developmentSchema.safeParse(withoutEmpty(env));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('\n'));
  }
  const values = parsed.data;
  return {
    databaseUrl: values.DATABASE_URL,
    migrationUrl: values.MIGRATION_DATABASE_URL,
    ports: {
      subgraph: values.PORT,
      gateway: values.GATEWAY_PORT,
      psaCore: values.PSA_CORE_PORT,
      simulator: values.SIMULATOR_PORT,
    },
    logLevel: values.LOG_LEVEL,
    inherited: env,
  };
}
