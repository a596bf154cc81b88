import { randomBytes } from 'node:crypto';
import { AUDIENCE, ISSUER } from '../../tests/support/tokens.ts';

/** What every part of a run is given. */
export interface Surroundings {
  /** Of the superuser of a migrated database, which the subgraph lowers to its application role. */
  databaseUrl: string;
  /** The public keys of the run's identity provider. */
  jwksFile: string;
}

const KEY = `bench:${randomBytes(32).toString('base64')}`;

/** The environment of the subgraph as in production; its background jobs are left out unless `over` says otherwise. */
export function ourEnvironment(
  { databaseUrl, jwksFile }: Surroundings,
  over: Record<string, string> = {},
): Record<string, string> {
  return {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: 'https://teams-meetings.example',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: KEY,
    LINK_SIGNING_KEYS: KEY,
    WORKER_CONCURRENCY: '0',
    // Counted as in production, and never reached.
    VIEWER_REQUESTS_PER_MINUTE: '1000000000',
    TENANT_REQUESTS_PER_MINUTE: '1000000000',
    LOG_LEVEL: 'error',
    ...over,
  };
}
