import { checkCredential } from './entra-credentials.ts';
import { EntraFailure, entraErrorBody } from './entra-errors.ts';
import type { Json } from './errors.ts';
import { entraHeaders } from './headers.ts';
import type { Answer, Host, ServedCall } from './serve.ts';
import type { App, Directory } from './state.ts';
import { appKey, findDirectory } from './state.ts';
import { GRAPH_RESOURCES, issueAccessToken, publicJwk } from './tokens.ts';

const OIDC_SCOPES = new Set(['openid', 'profile', 'offline_access', 'email']);

/** Entra's host: `POST /{directory}/oauth2/v2.0/token`, the openid-configuration and its keys. */
export const entraHost: Host = {
  name: 'entra',
  headers: entraHeaders,
  work: answerEntra,
  usualFault: usualEntraFault,
  logsBody: false,
};

async function answerEntra(call: ServedCall): Promise<Answer> {
  const [, directoryName = '', ...rest] = decodeURIComponent(call.path).split('/');
  try {
    switch (`${call.method} ${rest.join('/')}`) {
      case 'POST oauth2/v2.0/token':
        return { status: 200, body: await token(call, directory(call, directoryName, 'invalid_request')) };
      case 'GET v2.0/.well-known/openid-configuration':
        return { status: 200, body: configuration(call, directory(call, directoryName, 'invalid_tenant')) };
      case 'GET discovery/v2.0/keys':
        return { status: 200, body: { keys: [await publicJwk()] } };
      default:
        return { status: 404 };
    }
  } catch (error) {
    if (!(error instanceof EntraFailure)) throw error;
    return { status: error.status, body: entraErrorBody(error, call.ids, call.now) };
  }
}

function directory(call: ServedCall, name: string, error: string): Directory {
  const found = findDirectory(call.world, name);
  if (found !== undefined) return found;
  throw new EntraFailure(
    400,
    error,
    90002,
    `Tenant '${name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct ` +
      'cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.',
  );
}

async function token(call: ServedCall, inDirectory: Directory): Promise<Json> {
  const form = new URLSearchParams(call.rawBody?.toString('utf8') ?? '');
  const grant = required(form, 'grant_type');
  if (grant !== 'client_credentials') {
    throw new EntraFailure(
      400,
      'unsupported_grant_type',
      70003,
      `The app requested an unsupported grant type '${grant}'.`,
    );
  }
  const app = registeredApp(call, inDirectory, required(form, 'client_id'));
  const audience = audienceOf(required(form, 'scope'), inDirectory);
  await checkCredential(app, form, call.now);
  return {
    token_type: 'Bearer',
    expires_in: app.tokenLifetimeSeconds,
    ext_expires_in: app.tokenLifetimeSeconds,
    access_token: await issueAccessToken(app, audience, call.now),
  };
}

function required(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value !== null && value !== '') return value;
  throw new EntraFailure(
    400,
    'invalid_request',
    900144,
    `The request body must contain the following parameter: '${name}'.`,
  );
}

function registeredApp(call: ServedCall, inDirectory: Directory, clientId: string): App {
  const app = call.world.apps.get(appKey(inDirectory.id, clientId.toLowerCase()));
  if (app === undefined) {
    throw new EntraFailure(
      400,
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${inDirectory.displayName}'. This can ` +
        'happen if the application has not been installed by the administrator of the tenant or consented to by any user ' +
        'in the tenant. You may have sent your authentication request to the wrong tenant.',
    );
  }
  if (app.disabled) {
    throw new EntraFailure(
      401,
      'unauthorized_client',
      7000112,
      `Application '${clientId}'(${app.displayName}) is disabled.`,
    );
  }
  return app;
}

function audienceOf(scope: string, inDirectory: Directory): string {
  const resources = scope.split(/\s+/).filter((one) => one !== '' && !OIDC_SCOPES.has(one));
  const [only] = resources;
  if (only === undefined || resources.length > 1 || !only.endsWith('/.default')) {
    throw new EntraFailure(
      400,
      'invalid_scope',
      1002012,
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with ` +
        '/.default suffixed to the resource identifier (application ID URI).',
    );
  }
  const resource = only.slice(0, -'/.default'.length).replace(/\/$/, '');
  if (GRAPH_RESOURCES.has(resource)) return resource;
  throw new EntraFailure(
    400,
    'invalid_resource',
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${inDirectory.displayName}. This can ` +
      'happen if the application has not been installed by the administrator of the tenant.',
  );
}

function configuration(call: ServedCall, inDirectory: Directory): Json {
  const base = `${call.baseUrl}/${inDirectory.id}`;
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${base}/discovery/v2.0/keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${base}/oauth2/v2.0/logout`,
    tenant_region_scope: 'EU',
    cloud_instance_name: 'microsoftonline.com',
    msgraph_host: 'graph.microsoft.com',
  };
}

function usualEntraFault(status: number, call: ServedCall): Answer {
  const failure =
    status === 503
      ? new EntraFailure(503, 'temporarily_unavailable', 90033, 'A transient error has occurred. Please try again.')
      : new EntraFailure(status, 'server_error', 90014, 'The service could not complete the request.');
  return { status, body: entraErrorBody(failure, call.ids, call.now) };
}
