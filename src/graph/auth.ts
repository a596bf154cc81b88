import { X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type Configuration, LogLevel } from '@azure/msal-node';
import { msalFailure } from './classify-entra.ts';
import type { CloudEndpoints } from './clouds.ts';
import { EntraNetwork, type EntraNetworkOptions } from './entra-network.ts';
import { GraphRequestError } from './errors.ts';
import { unanswered } from './network-failure.ts';
import type { AppCredential, MicrosoftAppRegistration } from './types.ts';

export interface AccessToken {
  /** The bearer. */
  value: string;
  /** The `roles` claim; empty when the token has none. */
  roles: ReadonlySet<string>;
  /** The `tid` claim, in lower case; null when the token has none. */
  directoryId: string | null;
  /** The `oid` claim, in lower case; null when the token has none. */
  objectId: string | null;
}

interface MsalInstance {
  application: ConfidentialClientApplication;
  network: EntraNetwork;
}

/**
 * The tokens of one app registration. Tokens are cached; concurrent callers share one request to Entra. After a
 * failure the next request starts afresh, so that msal's local throttle never outlives Entra's trouble.
 */
export class TokenSource {
  readonly #app: MicrosoftAppRegistration;
  readonly #endpoints: CloudEndpoints;
  readonly #networkOptions: EntraNetworkOptions;
  #msal: MsalInstance | null = null;
  #pending: Promise<AccessToken> | null = null;
  #latest: string | null = null;

  constructor(app: MicrosoftAppRegistration, endpoints: CloudEndpoints, networkOptions: EntraNetworkOptions) {
    this.#app = app;
    this.#endpoints = endpoints;
    this.#networkOptions = networkOptions;
  }

  /**
   * A token, from the cache where possible.
   * @param rejected the token that Graph has just refused with a 401: another one is returned than this.
   * @throws GraphRequestError
   */
  async token(rejected?: string): Promise<AccessToken> {
    while (this.#pending !== null) {
      const token = await this.#pending;
      if (token.value !== rejected) return token;
    }
    const skipCache = rejected !== undefined && rejected === this.#latest;
    this.#pending = this.#acquire(skipCache).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  /** Forgets all tokens; the next call asks Entra. */
  forget(): void {
    this.#msal = null;
  }

  async #acquire(skipCache: boolean): Promise<AccessToken> {
    let network: EntraNetwork | null = null;
    try {
      this.#msal ??= this.#instance();
      network = this.#msal.network;
      network.lastFailure = null;
      const result = await this.#msal.application.acquireTokenByClientCredential({
        scopes: [this.#endpoints.scope],
        skipCache,
      });
      if (result === null || result.accessToken === '') {
        throw unanswered('UNKNOWN', 'Microsoft Entra answered without a token');
      }
      this.#latest = result.accessToken;
      return { value: result.accessToken, ...claimsOf(result.accessToken) };
    } catch (error) {
      this.#msal = null;
      if (network?.lastFailure) throw network.lastFailure;
      throw error instanceof GraphRequestError ? error : msalFailure(error);
    }
  }

  #instance(): MsalInstance {
    const { authorityBaseUrl, entraBaseUrl } = this.#endpoints;
    const directory = encodeURIComponent(this.#app.directoryId);
    const network = new EntraNetwork(this.#networkOptions);
    const configuration: Configuration = {
      auth: {
        clientId: this.#app.clientId,
        authority: `${authorityBaseUrl}/${directory}`,
        authorityMetadata: openidConfiguration(authorityBaseUrl, `${entraBaseUrl}/${directory}`, directory),
        ...clientAuthentication(this.#app.credential),
      },
      system: {
        networkClient: network,
        loggerOptions: { loggerCallback: () => undefined, piiLoggingEnabled: false, logLevel: LogLevel.Error },
      },
    };
    return { application: new ConfidentialClientApplication(configuration), network };
  }
}

/** With the metadata given, msal asks nobody for it, and the token endpoint may be plain http on this computer. */
function openidConfiguration(authorityBaseUrl: string, tenantBaseUrl: string, directory: string): string {
  return JSON.stringify({
    issuer: `${authorityBaseUrl}/${directory}/v2.0`,
    authorization_endpoint: `${tenantBaseUrl}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenantBaseUrl}/oauth2/v2.0/token`,
    end_session_endpoint: `${tenantBaseUrl}/oauth2/v2.0/logout`,
    jwks_uri: `${tenantBaseUrl}/discovery/v2.0/keys`,
  });
}

function clientAuthentication(
  credential: AppCredential,
): Pick<Configuration['auth'], 'clientSecret' | 'clientCertificate'> {
  if (credential.kind === 'CLIENT_SECRET') return { clientSecret: credential.clientSecret };
  const thumbprintSha256 = new X509Certificate(credential.certificatePem).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
  return { clientCertificate: { thumbprintSha256, privateKey: credential.privateKeyPem } };
}

/** Reads what we need to know. The signature is not checked: the token is Graph's to verify, we only read our own. */
function claimsOf(token: string): Omit<AccessToken, 'value'> {
  const { roles, tid, oid } = payloadOf(token);
  return {
    roles: new Set(Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : []),
    directoryId: typeof tid === 'string' ? tid.toLowerCase() : null,
    objectId: typeof oid === 'string' ? oid.toLowerCase() : null,
  };
}

function payloadOf(token: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null ? { ...payload } : {};
  } catch {
    return {};
  }
}
