import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  loadConfig,
  loadDataDirectory,
  loadDevelopmentConfig,
  loadMigrationUrls,
} from '../../src/config.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const OTHER_KEY = Buffer.alloc(32, 9).toString('base64');
const WEBHOOK_SECRET = `whsec_${KEY}`;
const OTHER_WEBHOOK_SECRET = `whsec_${OTHER_KEY}`;
const EVENTS = { PSA_EVENTS_URL: 'https://psa.example/hooks/', PSA_EVENTS_SECRET: WEBHOOK_SECRET };

/** The least that `npm run serve` needs. */
const GOOD = {
  DATABASE_URL: 'postgresql://user:password@db.example:5432/teams',
  PUBLIC_URL: 'https://teams.psa.example',
  AUTH_JWKS_URL: 'https://psa.example/jwks.json',
  AUTH_ISSUER: 'https://psa.example/',
  AUTH_AUDIENCE: 'teams-meetings',
  ENCRYPTION_KEYS: `k1:${KEY}`,
  LINK_SIGNING_KEYS: `k1:${KEY}`,
};

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('The configuration was accepted');
}

describe('the environment of npm run serve', () => {
  it('is read with safe defaults', () => {
    expect(loadConfig(GOOD)).toMatchObject({
      isProduction: true,
      introspection: false,
      explorer: false,
      developmentSecrets: undefined,
      listen: { host: '0.0.0.0', port: 4001 },
      database: { url: GOOD.DATABASE_URL, poolSize: 10 },
      auth: { jwks: { url: GOOD.AUTH_JWKS_URL }, issuer: GOOD.AUTH_ISSUER, audience: GOOD.AUTH_AUDIENCE },
      microsoft: { graphBaseUrl: undefined, entraBaseUrl: undefined },
      psaWebhookSecrets: [],
      psaEvents: undefined,
      blobStore: undefined,
      recordingLinkMinutes: 15,
      logLevel: 'info',
    });
  });

  it('has the explorer outside production, and in production where it is asked for', () => {
    expect(loadConfig({ ...GOOD, EXPLORER: 'on' })).toMatchObject({ explorer: true, introspection: false });
    expect(loadConfig({ ...GOOD, NODE_ENV: 'development' }).explorer).toBe(true);
    expect(loadConfig({ ...GOOD, NODE_ENV: 'development', EXPLORER: 'off' }).explorer).toBe(false);
    expect(refusal({ ...GOOD, EXPLORER: 'yes' })).toContain('EXPLORER: ');
  });

  it('refuses to hand out tokens to anybody but the developer at this machine', () => {
    const development = { ...GOOD, NODE_ENV: 'development', HOST: '127.0.0.1', DEVELOPMENT_SECRETS: '.data' };
    expect(loadConfig(development).developmentSecrets).toBe('.data');
    for (const change of [
      { NODE_ENV: 'production' },
      { NODE_ENV: 'test' },
      { NODE_ENV: '' },
      { HOST: '0.0.0.0' },
      { HOST: '' },
    ])
      expect(refusal({ ...development, ...change })).toContain('DEVELOPMENT_SECRETS: is for npm start');
  });

  it('takes a blob store and a longer life for links of recordings, and says what is wrong with them', () => {
    const good = { ...GOOD, BLOB_STORE: 's3://bucket/prefix?region=eu-central-1', RECORDING_LINK_MINUTES: '180' };
    expect(loadConfig(good)).toMatchObject({
      blobStore: { kind: 's3', bucket: 'bucket', prefix: 'prefix/', region: 'eu-central-1' },
      recordingLinkMinutes: 180,
    });
    const message = refusal({ ...GOOD, BLOB_STORE: 's3://key:topsecret@bucket', RECORDING_LINK_MINUTES: '0' });
    expect(message).toContain('\n  BLOB_STORE: must not hold credentials');
    expect(message).toContain('\n  RECORDING_LINK_MINUTES: ');
    expect(message).not.toContain('topsecret');
  });

  it('traces where OpenTelemetry’s own variables say where to, and not where they switch it off', () => {
    expect(loadConfig(GOOD).tracing).toBeUndefined();
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(loadConfig({ ...GOOD, ...endpoint }).tracing).toEqual({ sampleRatio: 1 });
    const own = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/v1/traces',
      OTEL_TRACES_SAMPLER_ARG: '0.1',
    };
    expect(loadConfig({ ...GOOD, ...own }).tracing).toEqual({ sampleRatio: 0.1 });
    expect(loadConfig({ ...GOOD, ...endpoint, OTEL_SDK_DISABLED: 'True' }).tracing).toBeUndefined();
    expect(refusal({ ...GOOD, OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })).toContain(
      'OTEL_EXPORTER_OTLP_ENDPOINT: ',
    );
    expect(refusal({ ...GOOD, ...endpoint, OTEL_TRACES_SAMPLER_ARG: '2' })).toContain('OTEL_TRACES_SAMPLER_ARG: ');
  });

  it('lists everything that is missing in one message', () => {
    const message = refusal({});
    const required = Object.keys(GOOD).filter((name) => name !== 'AUTH_JWKS_URL');
    for (const name of required) expect(message).toContain(`\n  ${name}: is missing`);
    expect(message).toContain('\n  AUTH_JWKS_URL: exactly one of AUTH_JWKS_URL and AUTH_JWKS_FILE must be set');
    expect(message).toContain('.env.example');
  });

  it('lists everything that is wrong in one message, missing and malformed alike', () => {
    const { AUTH_ISSUER: _, ...rest } = GOOD;
    const message = refusal({
      ...rest,
      DATABASE_URL: 'mysql://x',
      PORT: '70000',
      LOG_LEVEL: 'loud',
      ENCRYPTION_KEYS: 'k1:short',
    });
    for (const name of ['DATABASE_URL', 'PORT', 'LOG_LEVEL', 'ENCRYPTION_KEYS', 'AUTH_ISSUER'])
      expect(message).toContain(`\n  ${name}: `);
    expect(message.match(/is missing/g)).toHaveLength(1);
  });

  it.each(Object.keys(GOOD).filter((name) => name !== 'AUTH_JWKS_URL'))('counts an empty %s as missing', (name) => {
    expect(refusal({ ...GOOD, [name]: '' })).toContain(`\n  ${name}: is missing`);
  });

  it('counts an empty optional variable as unset', () => {
    expect(loadConfig({ ...GOOD, PORT: '', AUTH_JWKS_FILE: '', GRAPH_BASE_URL: '', INTROSPECTION: '' })).toEqual(
      loadConfig(GOOD),
    );
  });

  it.each([
    ['DATABASE_URL', 'localhost:5432', /Postgres URL/],
    ['DATABASE_URL', 'https://db.example', /Postgres URL/],
    ['DATABASE_POOL_SIZE', '0', /./],
    ['PORT', 'http', /./],
    ['PORT', '65536', /./],
    ['PUBLIC_URL', 'teams.psa.example', /http/],
    ['PUBLIC_URL', 'ftp://teams.psa.example', /http/],
    ['TRUSTED_PROXIES', 'true', /addresses or ranges/],
    ['TRUSTED_PROXIES', '10.0.0.0/8,', /addresses or ranges/],
    ['TRUSTED_PROXIES', '10.0.0.0/33', /addresses or ranges/],
    ['GATEWAY_SECRETS', 'too-short-to-be-a-secret', /at least 32/],
    ['GATEWAY_SECRETS', `${'a'.repeat(32)},`, /at least 32/],
    ['GATEWAY_SECRETS', `${'a'.repeat(32)} b`, /visible ASCII/],
    ['VIEWER_REQUESTS_PER_MINUTE', '-1', /./],
    ['MAX_EVENT_LOOP_DELAY_MS', '1.5', /./],
    ['NODE_ENV', 'staging', /./],
    ['INTROSPECTION', 'true', /on/],
    ['SMTP_URL', 'mail.example', /SMTP URL/],
    ['SMTP_URL', 'http://mail.example', /SMTP URL/],
    ['SMTP_URL', 'smtp://', /SMTP URL/],
    ['SMTP_FROM', 'meetings', /sender/],
    ['SMTP_FROM', 'a@b.example, c@d.example', /sender/],
    ['SMTP_FROM', 'Meetings\r\nBcc: <evil@x.example>', /sender/],
    ['SMTP_FROM', 'Meetings <meetings@example.com> x', /sender/],
    ['GRAPH_BASE_URL', 'http://graph.example', /must be https/],
    ['ENTRA_BASE_URL', 'http://192.168.1.1', /must be https/],
    ['GRAPH_BASE_URL', 'http://127.0.0.1.evil.example', /must be https/],
    ['GRAPH_BASE_URL', 'http://localhost@evil.example', /must be https/],
    ['ENCRYPTION_KEYS', KEY, /id:base64key/],
    ['ENCRYPTION_KEYS', `:${KEY}`, /id:base64key/],
    ['ENCRYPTION_KEYS', `k 1:${KEY}`, /id:base64key/],
    ['ENCRYPTION_KEYS', `k1:${KEY},`, /id:base64key/],
    ['ENCRYPTION_KEYS', `k1:${Buffer.alloc(31).toString('base64')}`, /32 bytes/],
    ['LINK_SIGNING_KEYS', `k1:${Buffer.alloc(33).toString('base64')}`, /32 bytes/],
    ['PSA_WEBHOOK_SECRET', KEY, /each must be whsec_ and the base64 of 24 to 64 bytes/],
    ['PSA_WEBHOOK_SECRET', `${WEBHOOK_SECRET},`, /separated by commas/],
    ['PSA_WEBHOOK_SECRET', `${WEBHOOK_SECRET},whsec_`, /whsec_/],
    ['PSA_WEBHOOK_SECRET', `whsec_${Buffer.alloc(23).toString('base64')}`, /24 to 64 bytes/],
    ['PSA_WEBHOOK_SECRET', `whsec_${Buffer.alloc(65).toString('base64')}`, /24 to 64 bytes/],
    ['PSA_WEBHOOK_SECRET', `${WEBHOOK_SECRET.slice(0, -1)}!`, /base64/],
    ['PSA_EVENTS_SECRET', `${WEBHOOK_SECRET},${OTHER_WEBHOOK_SECRET}`, /must be whsec_/],
    ['PSA_EVENTS_SECRET', WEBHOOK_SECRET.replace(/=+$/, ''), /base64/],
    ['PSA_EVENTS_URL', 'psa.example/hooks', /is not an http\(s\) URL/],
    ['PSA_EVENTS_URL', 'http://psa.example/hooks', /must be https/],
    ['PSA_EVENTS_URL', 'http://127.0.0.1.evil.example/', /must be https/],
    ['PSA_EVENTS_URL', 'https://user:hunter2@psa.example/', /user name or password/],
  ])('refuses %s=%s', (name, value, reason) => {
    const message = refusal({ ...GOOD, [name]: value });
    expect(message).toContain(`\n  ${name}: `);
    expect(message).toMatch(reason);
  });

  it.each(['https://graph.example', 'http://127.0.0.1:4010', 'http://localhost:4010', 'http://[::1]:4010'])(
    'takes %s as Microsoft’s host',
    (url) => {
      expect(loadConfig({ ...GOOD, GRAPH_BASE_URL: url }).microsoft.graphBaseUrl).toBe(url);
    },
  );

  it('drops the slashes at the end of addresses that paths are added to', () => {
    expect(loadConfig({ ...GOOD, PUBLIC_URL: 'https://teams.psa.example//' }).publicUrl).toBe(
      'https://teams.psa.example',
    );
  });

  it('trusts no proxy that is not named', () => {
    expect(loadConfig(GOOD).trustedProxies).toEqual([]);
    expect(loadConfig({ ...GOOD, TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  });

  it('lets everybody ask GraphQL, within budgets, and says how the gateway alone may', () => {
    expect(loadConfig(GOOD).admission).toEqual({
      gatewaySecrets: [],
      perMinute: { viewer: 1_200, tenant: 12_000, anonymous: 600 },
      shedding: { maxEventLoopDelayMs: 1_000 },
    });
    const set = {
      GATEWAY_SECRETS: `${'a'.repeat(32)}, ${'b'.repeat(64)}`,
      VIEWER_REQUESTS_PER_MINUTE: '1',
      TENANT_REQUESTS_PER_MINUTE: '2',
      ANONYMOUS_REQUESTS_PER_MINUTE: '0',
      MAX_EVENT_LOOP_DELAY_MS: '250',
    };
    expect(loadConfig({ ...GOOD, ...set }).admission).toEqual({
      gatewaySecrets: ['a'.repeat(32), 'b'.repeat(64)],
      perMinute: { viewer: 1, tenant: 2, anonymous: 0 },
      shedding: { maxEventLoopDelayMs: 250 },
    });
    expect(loadConfig({ ...GOOD, NODE_ENV: 'development' }).admission.shedding.maxEventLoopDelayMs).toBe(0);
  });

  it('reads a ring of keys in its order, the first one first', () => {
    expect(loadConfig({ ...GOOD, ENCRYPTION_KEYS: `new:${OTHER_KEY}, old:${KEY}` }).encryptionKeys).toEqual([
      { id: 'new', bytes: Buffer.alloc(32, 9) },
      { id: 'old', bytes: Buffer.alloc(32, 7) },
    ]);
  });

  it('reads where our events go, as it is written', () => {
    expect(loadConfig({ ...GOOD, ...EVENTS }).psaEvents).toEqual({
      url: 'https://psa.example/hooks/',
      secret: WEBHOOK_SECRET,
    });
    const local = 'http://[::1]:9000/hooks?from=meetings';
    expect(loadConfig({ ...GOOD, ...EVENTS, PSA_EVENTS_URL: local }).psaEvents?.url).toBe(local);
  });

  it.each(['PSA_EVENTS_URL', 'PSA_EVENTS_SECRET'] as const)('wants the other one where only %s is set', (name) => {
    expect(refusal({ ...GOOD, [name]: EVENTS[name] })).toContain(
      '\n  PSA_EVENTS_URL: PSA_EVENTS_URL and PSA_EVENTS_SECRET must be set both or neither',
    );
  });

  it('takes several secrets of the PSA, so that they can be changed', () => {
    const PSA_WEBHOOK_SECRET = `${WEBHOOK_SECRET}, ${OTHER_WEBHOOK_SECRET}`;
    expect(loadConfig({ ...GOOD, PSA_WEBHOOK_SECRET }).psaWebhookSecrets).toEqual([
      WEBHOOK_SECRET,
      OTHER_WEBHOOK_SECRET,
    ]);
  });

  it('wants exactly one source of the keys that sign tokens', () => {
    const { AUTH_JWKS_URL: _, ...neither } = GOOD;
    const complaint = 'exactly one of AUTH_JWKS_URL and AUTH_JWKS_FILE must be set';
    expect(refusal(neither)).toContain(complaint);
    expect(refusal({ ...GOOD, AUTH_JWKS_FILE: '/keys.json' })).toContain(complaint);
    expect(loadConfig({ ...neither, AUTH_JWKS_FILE: '/keys.json' }).auth.jwks).toEqual({ file: '/keys.json' });
  });

  it.each([
    [{ NODE_ENV: 'production' }, false],
    [{ NODE_ENV: 'development' }, true],
    [{ NODE_ENV: 'production', INTROSPECTION: 'on' }, true],
    [{ NODE_ENV: 'development', INTROSPECTION: 'off' }, false],
  ])('with %j, introspection is %s', (env, introspection) => {
    expect(loadConfig({ ...GOOD, ...env }).introspection).toBe(introspection);
  });

  it('sends no mail unless there is a server for it', () => {
    expect(loadConfig(GOOD).mail).toBeUndefined();
    expect(loadConfig({ ...GOOD, SMTP_URL: '', SMTP_FROM: '' }).mail).toBeUndefined();
    expect(loadConfig({ ...GOOD, SMTP_FROM: 'meetings@example.com' }).mail).toBeUndefined();
  });

  it.each([
    ['smtp://127.0.0.1:1025', 'meetings@example.com'],
    ['smtp://user:p%40ss@mail.example:587', 'Meetings <meetings@example.com>'],
    ['smtps://mail.example', '"Meetings, ACME" <meetings@münchen.example>'],
  ])('sends mail over %s from %s', (url, from) => {
    expect(loadConfig({ ...GOOD, SMTP_URL: url, SMTP_FROM: from }).mail).toEqual({ url, from });
  });

  it('wants a sender for its mail', () => {
    const message = refusal({ ...GOOD, SMTP_URL: 'smtp://user:hunter2@mail.example' });
    expect(message).toContain('\n  SMTP_FROM: must be set where SMTP_URL is');
    expect(message).not.toContain('hunter2');
  });

  it('never repeats a secret in its complaint', () => {
    const message = refusal({
      ...GOOD,
      DATABASE_URL: 'mysql://user:hunter2@db',
      ENCRYPTION_KEYS: 'k1:c2VjcmV0',
      GATEWAY_SECRETS: 'hunter2',
      PSA_WEBHOOK_SECRET: 'whsec_c2VjcmV0',
      PSA_EVENTS_SECRET: 'whsec_c2VjcmV0',
      PSA_EVENTS_URL: 'https://user:hunter2@psa.example',
    });
    expect(message).not.toMatch(/hunter2|c2VjcmV0/);
  });
});

describe('the database that is migrated', () => {
  const [owner, app] = ['postgresql://owner@db/x', 'postgresql://app@db/x'];
  it.each([
    [{}, undefined],
    [{ DATABASE_URL: '' }, undefined],
    [{ DATABASE_URL: app }, { url: app, applicationUrl: app }],
    [
      { DATABASE_URL: app, MIGRATION_DATABASE_URL: owner },
      { url: owner, applicationUrl: app },
    ],
    [{ MIGRATION_DATABASE_URL: owner }, { url: owner, applicationUrl: owner }],
    [
      { DATABASE_URL: app, MIGRATION_DATABASE_URL: '' },
      { url: app, applicationUrl: app },
    ],
  ])('with %j is %j', (env, urls) => {
    expect(loadMigrationUrls(env)).toEqual(urls);
  });

  it('must be Postgres', () => {
    expect(() => loadMigrationUrls({ DATABASE_URL: 'sqlite://x' })).toThrow(ConfigError);
  });
});

describe('the development world', () => {
  it('has the ports of the contract, each of which may be changed', () => {
    expect(loadDevelopmentConfig({}).ports).toEqual({ subgraph: 4001, gateway: 4000, psaCore: 4002, simulator: 4010 });
    expect(loadDevelopmentConfig({ PORT: '5001', SIMULATOR_PORT: '5010' }).ports).toMatchObject({
      subgraph: 5001,
      simulator: 5010,
      gateway: 4000,
    });
    expect(() => loadDevelopmentConfig({ GATEWAY_PORT: 'x' })).toThrow(ConfigError);
  });

  it('keeps its data in .data of the project, or where DATA_DIRECTORY says', () => {
    expect(loadDataDirectory({})).toMatch(/[\\/]\.data$/);
    expect(loadDataDirectory({ DATA_DIRECTORY: '' })).toBe(loadDataDirectory({}));
    expect(loadDataDirectory({ DATA_DIRECTORY: '/somewhere/else' })).toBe('/somewhere/else');
  });
});
