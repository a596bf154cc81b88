import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { loadDataDirectory } from '../config.ts';

/** Who signs development tokens, and for whom: the `iss` and `aud` of every one. */
export const DEVELOPMENT_ISSUER = 'http://127.0.0.1/development';
export const DEVELOPMENT_AUDIENCE = 'teams-meetings';

/** The folder of everything that a machine makes for itself in development; never committed. */
export const DATA_DIRECTORY = loadDataDirectory();

/** The keys of one machine's development world, made at first use. */
export interface DevelopmentSecrets {
  privateJwk: JWK;
  jwksFile: string;
  encryptionKeys: string;
  linkSigningKeys: string;
}

interface Stored {
  privateJwk: JWK;
  encryptionKey: string;
  linkSigningKey: string;
}

const KEY_ID = 'development';

async function makeSecrets(): Promise<Stored> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    privateJwk: { ...(await exportJWK(privateKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' },
    encryptionKey: randomBytes(32).toString('base64'),
    linkSigningKey: randomBytes(32).toString('base64'),
  };
}

/** Reads the development keys, or makes them. The folder is readable for its owner only. */
export async function developmentSecrets(directory = DATA_DIRECTORY): Promise<DevelopmentSecrets> {
  const file = join(directory, 'development-secrets.json');
  const jwksFile = join(directory, 'development-jwks.json');
  await mkdir(directory, { recursive: true });
  if (!existsSync(file) || !existsSync(jwksFile)) {
    const made = await makeSecrets();
    const { d: _private, ...publicJwk } = made.privateJwk;
    await writeFile(jwksFile, JSON.stringify({ keys: [publicJwk] }));
    await writeFile(file, JSON.stringify(made), { mode: 0o600 });
  }
  const stored = JSON.parse(await readFile(file, 'utf8')) as Stored;
  return {
    privateJwk: stored.privateJwk,
    jwksFile,
    encryptionKeys: `development:${stored.encryptionKey}`,
    linkSigningKeys: `development:${stored.linkSigningKey}`,
  };
}

const MEETINGS_AND_ARTIFACTS = [
  'teams_meeting:read',
  'teams_meeting:write',
  'teams_artifact:read',
  'teams_artifact:refresh',
];

/** The roles of `npm run token` and what each may do. */
export const ROLES = {
  admin: {
    kind: 'msp',
    sub: 'user-admin',
    permissions: ['teams_settings:read', 'teams_settings:update', ...MEETINGS_AND_ARTIFACTS],
  },
  technician: { kind: 'msp', sub: 'user-technician', permissions: MEETINGS_AND_ARTIFACTS },
  client: { kind: 'client', sub: 'user-client', permissions: ['teams_meeting:read', 'teams_artifact:read'] },
  service: { kind: 'service', sub: 'service', permissions: ['teams_meeting:read', 'teams_meeting:write'] },
} as const;

export type Role = keyof typeof ROLES;

export interface TokenRequest {
  role: Role;
  tenant?: string;
  /** For the role client; default `client-acme`. */
  client?: string;
  contact?: string;
}

/** Signs a development token that is good for twelve hours. */
export async function developmentToken(secrets: DevelopmentSecrets, request: TokenRequest): Promise<string> {
  const { kind, sub, permissions } = ROLES[request.role];
  const clientClaims =
    kind === 'client'
      ? { client_id: request.client ?? 'client-acme', ...(request.contact ? { contact_id: request.contact } : {}) }
      : {};
  return new SignJWT({ tenant_id: request.tenant ?? 'tenant-a', kind, permissions, ...clientClaims })
    .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
    .setSubject(sub)
    .setIssuer(DEVELOPMENT_ISSUER)
    .setAudience(DEVELOPMENT_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(await importJWK(secrets.privateJwk, 'ES256'));
}
