import { createHash, X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { EntraFailure } from './entra-errors.ts';
import type { App } from './state.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Checks the app's secret or client assertion. Throws the `EntraFailure` that Entra answers; resolves when it holds. */
export async function checkCredential(app: App, form: URLSearchParams, now: Date): Promise<void> {
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  if (secret !== null) return checkSecret(app, secret, now);
  if (assertion !== null && form.get('client_assertion_type') === ASSERTION_TYPE) return checkAssertion(app, assertion);
  throw new EntraFailure(
    401,
    'invalid_client',
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  );
}

function checkSecret(app: App, secret: string, now: Date): void {
  const registered = app.secrets.find((one) => one.value === secret);
  if (registered === undefined) {
    throw new EntraFailure(
      401,
      'invalid_client',
      7000215,
      'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, ' +
        `not the client secret ID, for a secret added to app '${app.clientId}'.`,
    );
  }
  if (registered.expiresAt !== undefined && new Date(registered.expiresAt) <= now) {
    throw new EntraFailure(
      401,
      'invalid_client',
      7000222,
      `The provided client secret keys for app '${app.clientId}' are expired. Visit the Azure portal to create new ` +
        'keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security.',
    );
  }
}

async function checkAssertion(app: App, assertion: string): Promise<void> {
  const certificate = registeredCertificate(app, assertion);
  const claims = await verifiedClaims(assertion, certificate);
  const audience = [claims.aud].flat().map((one) => new URL(String(one), 'https://invalid.example').pathname);
  const accepted = [`/${app.directoryId}/oauth2/v2.0/token`, `/${app.directoryId}/v2.0`, `/${app.directoryId}/`];
  if (!audience.some((path) => accepted.includes(path))) {
    throw new EntraFailure(
      401,
      'invalid_client',
      700023,
      'Client assertion audience claim does not match Realm issuer.',
    );
  }
  if (claims.iss !== app.clientId || claims.sub !== app.clientId) {
    throw badAssertion(`The issuer and subject must be the client_id '${app.clientId}'.`);
  }
}

function registeredCertificate(app: App, assertion: string): X509Certificate {
  const header = headerOf(assertion);
  const sha1 = typeof header.x5t === 'string' ? header.x5t : undefined;
  const sha256 = typeof header['x5t#S256'] === 'string' ? header['x5t#S256'] : undefined;
  const certificate = app.certificates
    .map((pem) => new X509Certificate(pem))
    .find((one) => thumbprint(one, 'sha1') === sha1 || thumbprint(one, 'sha256') === sha256);
  if (certificate === undefined) {
    throw badAssertion(`The key was not found., Thumbprint of key used by client: '${sha1 ?? sha256 ?? ''}'`);
  }
  return certificate;
}

function headerOf(assertion: string): Record<string, unknown> {
  try {
    decodeJwt(assertion);
    return { ...decodeProtectedHeader(assertion) };
  } catch {
    throw badAssertion('The assertion is not a JSON web token.');
  }
}

/**
 * Judged by real time, not by the simulator's clock: the client that signs knows only real time. Clocks may differ a
 * little, as for Entra: msal rounds `nbf` to whole seconds, so it is often half a second ahead.
 */
async function verifiedClaims(assertion: string, certificate: X509Certificate) {
  try {
    const options = {
      algorithms: ['RS256', 'PS256'],
      requiredClaims: ['exp', 'aud', 'iss', 'sub'],
      clockTolerance: 30,
    };
    return (await jwtVerify(assertion, certificate.publicKey, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new EntraFailure(
        401,
        'invalid_client',
        700024,
        'Client assertion is not within its valid time range. Review the documentation at https://learn.microsoft.com.',
      );
    }
    throw badAssertion('The key was found, but use of the key to verify the signature failed.');
  }
}

function thumbprint(certificate: X509Certificate, algorithm: 'sha1' | 'sha256'): string {
  return createHash(algorithm).update(certificate.raw).digest('base64url');
}

function badAssertion(reason: string): EntraFailure {
  return new EntraFailure(
    401,
    'invalid_client',
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${reason}]`,
  );
}
