import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import { errors, exportJWK, jwtVerify, SignJWT } from 'jose';
import { invalidToken } from './errors.ts';
import type { App } from './state.ts';

/** Signs access tokens for the life of the process. */
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEY_ID = randomUUID();

/** Resources that mean Microsoft Graph in one of its clouds. */
export const GRAPH_RESOURCES = new Set([
  'https://graph.microsoft.com',
  'https://graph.microsoft.us',
  'https://dod-graph.microsoft.us',
  'https://microsoftgraph.chinacloudapi.cn',
  '00000003-0000-0000-c000-000000000000',
]);

/** Who calls: the claims of an access token that Graph looks at. */
export interface Caller {
  directoryId: string;
  appId: string;
  roles: ReadonlySet<string>;
}

/** Issues an app-only access token. The `roles` claim is absent when the app has none. */
export function issueAccessToken(app: App, audience: string, now: Date): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  const roles = app.roles.length === 0 ? {} : { roles: app.roles };
  return new SignJWT({
    app_displayname: app.displayName,
    appid: app.clientId,
    appidacr: '1',
    idtyp: 'app',
    oid: app.servicePrincipalId,
    sub: app.servicePrincipalId,
    tid: app.directoryId,
    uti: randomUUID(),
    ver: '1.0',
    ...roles,
  })
    .setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid: KEY_ID, x5t: KEY_ID })
    .setAudience(audience)
    .setIssuer(`https://sts.windows.net/${app.directoryId}/`)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + app.tokenLifetimeSeconds)
    .sign(keys.privateKey);
}

/** Reads the bearer of a Graph call. Throws 401 `InvalidAuthenticationToken` when there is none that holds now. */
export async function verifyBearer(authorization: string | undefined, now: Date): Promise<Caller> {
  const token = /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw invalidToken('Access token is empty.');
  try {
    const { payload } = await jwtVerify(token, keys.publicKey, { currentDate: now });
    if (!GRAPH_RESOURCES.has(String(payload.aud))) {
      throw invalidToken('Access token validation failure. Invalid audience.');
    }
    const roles = Array.isArray(payload.roles) ? payload.roles.map(String) : [];
    return { directoryId: String(payload.tid), appId: String(payload.appid), roles: new Set(roles) };
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw invalidToken('Lifetime validation failed, the token is expired.');
    }
    if (error instanceof errors.JWTClaimValidationFailed) {
      throw invalidToken('Access token has expired or is not yet valid.');
    }
    if (error instanceof errors.JOSEError || error instanceof TypeError) {
      throw invalidToken('CompactToken parsing failed with error code: 80049217');
    }
    throw error;
  }
}

/** The public key, as Entra's `jwks_uri` shows it. */
export async function publicJwk(): Promise<JWK> {
  return { ...(await exportJWK(keys.publicKey)), kid: KEY_ID, use: 'sig', alg: 'RS256' };
}
