import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { developmentSecrets } from '../../src/cli/development-secrets.ts';
import type { DiagnosticsReport } from '../../src/services/diagnostics/report.ts';
import { ACME, mendMicrosoft } from '../integration/domain/support.ts';
import { activate, MICROSOFT } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../support/tokens.ts';
import { selfSignedCertificate } from '../unit/graph/certificate.ts';
import { run } from './process.ts';

const DOCTOR = 'src/cli/doctor.ts';
const ESCAPE = '\u001b';

let directory: string;
let subgraph: TestSubgraph;
let environment: Record<string, string>;
const sockets = new Set<Socket>();
/** Takes connections and says nothing. */
const silent = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
/** Says yes to TLS as Postgres does, with a certificate of its own. */
const distrusted = createServer((socket) => {
  sockets.add(socket.on('error', () => undefined));
  socket.once('data', () => {
    socket.write('S');
    const { certificatePem: cert, privateKeyPem: key } = selfSignedCertificate();
    new TLSSocket(socket, { isServer: true, cert, key }).on('error', () => undefined);
  });
});
const portOf = (server: Server) => (server.address() as AddressInfo).port;
beforeAll(async () => {
  for (const server of [silent, distrusted])
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  directory = await mkdtemp(join(tmpdir(), 'doctor-test-'));
  const secrets = await developmentSecrets(directory);
  const [id = '', key = ''] = secrets.encryptionKeys.split(':');
  const bytes = Buffer.from(key, 'base64');
  subgraph = await startTestSubgraph({ isCallable: true, services: { encryptionKeys: [{ id, bytes }] } });
  const admin = await activate(subgraph);
  await subgraph.runJobs();
  await subgraph.send(admin, 'mutation { verifyTeamsOrganizer { userErrors { code } } }');
  await subgraph.runJobs();
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  environment = {
    DATABASE_URL: subgraph.database.applicationUrl,
    PUBLIC_URL: subgraph.url,
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: secrets.encryptionKeys,
    LINK_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    GRAPH_BASE_URL: subgraph.simulatorUrl,
    ENTRA_BASE_URL: subgraph.simulatorUrl,
    BLOB_STORE: pathToFileURL(join(directory, 'blobs')).href,
    DATA_DIRECTORY: directory,
  };
});
afterEach(() => mendMicrosoft(subgraph));
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of [silent, distrusted]) server.close();
  await subgraph.close();
  await rm(directory, { recursive: true, force: true });
});

const doctor = (args: string[], over: Record<string, string> = {}) => run(DOCTOR, args, { ...environment, ...over });

const withoutPolicy = () => subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });

describe('npm run doctor', () => {
  it('prints a table without colours into a pipe, a line for each step, and exits with 0', async () => {
    const { code, stdout, stderr } = await doctor(['--tenant', 'tenant-a']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).toMatch(/^Diagnosis of the tenant tenant-a\n/);
    expect(stdout).toMatch(/^PASS {2}Teams application access policy {2,}\S.*\.$/m);
    expect(stdout).toMatch(/^ {2}yes {2}Calendars\.ReadWrite +for making the calendar events of meetings$/m);
    expect(stdout).toMatch(/\nOverall: PASS\n$/);
    expect(stdout).not.toContain('Do next');
  });

  it('prints exactly one JSON object with --json, the same report as the API then reads', async () => {
    const { code, stdout, stderr } = await doctor(['--json', '--tenant', 'tenant-a']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const { tenant, ...report } = JSON.parse(stdout) as DiagnosticsReport & { tenant: string };
    expect(tenant).toBe('tenant-a');
    const { data } = await subgraph.send<{ teamsDiagnostics: DiagnosticsReport }>(
      await subgraph.tokens.token('admin'),
      '{ teamsDiagnostics { overall ranAt recommendations steps { name title status detail remedy durationMs } permissions { name grantedInToken usedFor required } } }',
    );
    expect(data?.teamsDiagnostics).toEqual(report);
  });

  it('is named in the audit trail', async () => {
    await doctor(['--tenant', 'tenant-a']);
    const [row] = await subgraph.database.query(
      "SELECT actor, outcome FROM audit_events WHERE operation = 'diagnose' ORDER BY at DESC LIMIT 1",
    );
    expect(row).toEqual({ actor: 'service:doctor', outcome: 'PASS' });
  });

  it('exits with 1 when a step fails, says its remedy beside it and what to do first', async () => {
    await withoutPolicy();
    const { code, stdout } = await doctor(['--tenant', 'tenant-a']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}Teams application access policy .*\n +→ .*New-CsApplicationAccessPolicy/m);
    expect(stdout).toMatch(/\nDo next:\n {2}1\. Run New-CsApplicationAccessPolicy /);
    expect(stdout).toMatch(/\nOverall: FAIL\n$/);
    const json = await doctor(['--tenant', 'tenant-a', '--json']);
    expect(json.code).toBe(1);
    expect((JSON.parse(json.stdout) as DiagnosticsReport).overall).toBe('FAIL');
  });

  it('lets nobody steer the terminal by a name', async () => {
    const displayName = `Mallory${ESCAPE}[2J${ESCAPE}]0;owned\u0007\u009b31m\u202egnp.exe\nFAIL  Everything`;
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { displayName });
    for (const args of [[], ['--json']]) {
      const { stdout } = await doctor(['--tenant', 'tenant-a', ...args]);
      expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Bidi_Control}]/u);
      expect(stdout).not.toMatch(/^FAIL {2}Everything/m);
      expect(stdout).toContain('Mallory');
    }
  });

  it('tells no secret, whatever is broken', async () => {
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [] });
    const { code, stdout, stderr } = await doctor(['--tenant', 'tenant-a']);
    expect(code).toBe(1);
    for (const secret of [MICROSOFT['tenant-a'].secret, environment.ENCRYPTION_KEYS ?? '', subgraph.database.url])
      expect(stdout + stderr).not.toContain(secret);
  });

  it('finds that the credential cannot be read with the keys that are configured', async () => {
    const { code, stdout } = await doctor(['--tenant', 'tenant-a'], {
      ENCRYPTION_KEYS: `k2:${randomBytes(32).toString('base64')}`,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}Encryption keys .*“development”/m);
    expect(stdout).toMatch(/Do next:\n {2}1\. Put the encryption key “development” back into ENCRYPTION_KEYS/);
  });

  it('makes a store that cannot be opened a failed step, where a server would not even start', async () => {
    const file = join(directory, 'no-folder');
    await writeFile(file, '');
    const { code, stdout } = await doctor(['--tenant', 'tenant-a'], {
      BLOB_STORE: pathToFileURL(join(file, 'x')).href,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}Store of recordings .*ENOTDIR/m);
    expect(stdout).toMatch(/^PASS {2}Database /m);
    expect(stdout).not.toContain(directory);
  });
});

describe('npm run doctor, when there is nothing to diagnose', () => {
  const elsewhere = (change: (url: URL) => void) => {
    const url = new URL(subgraph.database.url);
    change(url);
    return url.href;
  };

  it.each<[string, string[], () => Record<string, string>, RegExp]>([
    ['no tenant', [], () => ({}), /--tenant is missing: .*Usage: npm run doctor -- --tenant T \[--json\]/],
    ['a tenant without its value', ['--tenant', '--json'], () => ({}), /--tenant.*Usage: npm run doctor/],
    ['an unknown option', ['--tenant', 'tenant-a', '--fix'], () => ({}), /--fix.*Usage: npm run doctor/],
    ['an unknown tenant', ['--tenant', 'tenant-x'], () => ({}), /“tenant-x” has nothing stored here: check the id/],
    [
      'a database that is away',
      ['--tenant', 'tenant-a'],
      () => ({ DATABASE_URL: elsewhere((url) => Object.assign(url, { port: '1' })) }),
      /The database of DATABASE_URL cannot be used .*ECONNREFUSED.*check the address/,
    ],
    [
      'a wrong password',
      ['--tenant', 'tenant-a'],
      () => ({ DATABASE_URL: elsewhere((url) => Object.assign(url, { password: 'secret-password' })) }),
      /The database of DATABASE_URL cannot be used .*password authentication failed/,
    ],
    [
      'a database that takes the connection and stays silent',
      ['--tenant', 'tenant-a', '--json'],
      () => ({ DATABASE_URL: elsewhere((url) => Object.assign(url, { port: String(portOf(silent)) })) }),
      /The database of DATABASE_URL cannot be used \(timeout expired\): check the address and that Postgres is running/,
    ],
    [
      'a database without TLS where it is asked for',
      ['--tenant', 'tenant-a'],
      () => ({ DATABASE_URL: elsewhere((url) => url.searchParams.set('sslmode', 'no-verify')) }),
      /cannot be used \(The server does not support SSL connections\): check the address, its sslmode/,
    ],
    [
      'a database whose certificate nobody vouches for',
      ['--tenant', 'tenant-a'],
      () => ({
        DATABASE_URL: elsewhere((url) => {
          url.port = String(portOf(distrusted));
          url.searchParams.set('sslmode', 'verify-full');
        }),
      }),
      /cannot be used \(self-signed certificate.*\): check the address, its sslmode and the certificate/,
    ],
    [
      'a database without tables',
      ['--tenant', 'tenant-a'],
      () => ({ DATABASE_URL: elsewhere((url) => Object.assign(url, { pathname: '/postgres' })) }),
      /has no tables yet\. Run `npm run db:migrate` first/,
    ],
  ])('says for %s what to do, in one line, and exits with 2', async (_, args, over, message) => {
    const { code, stdout, stderr } = await doctor(args, over());
    expect(code).toBe(2);
    const said = args.includes('--json') ? (JSON.parse(stdout) as { error: string }).error : stderr.trimEnd();
    expect(said).toMatch(message);
    expect(said.split('\n')).toHaveLength(1);
    expect(stdout + stderr).not.toMatch(/ {4}at |postgres:postgres|secret-password/);
  });

  it('says with --json the same in an object', async () => {
    const { code, stdout, stderr } = await doctor(['--tenant', 'tenant-x', '--json']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ error: expect.stringContaining('nothing stored here') });
  });

  it('lists what is wrong with the environment, as the server does', async () => {
    const { code, stderr } = await run(DOCTOR, ['--tenant', 'tenant-a'], { PUBLIC_URL: 'https://teams.example' });
    expect(code).toBe(2);
    expect(stderr).toMatch(/DATABASE_URL: is missing/);
    expect(stderr).toMatch(/ENCRYPTION_KEYS: is missing/);
  });

  it('uses the values of `npm start` where none of the server are set', async () => {
    const port = (url: string) => new URL(url).port;
    const { code, stdout } = await run(DOCTOR, ['--tenant', 'tenant-a'], {
      DATA_DIRECTORY: directory,
      DATABASE_URL: subgraph.database.applicationUrl,
      PORT: port(subgraph.url),
      SIMULATOR_PORT: port(subgraph.simulatorUrl),
    });
    expect(stdout).toMatch(/\nOverall: PASS\n$/);
    expect(code).toBe(0);
  });

  it('says that `npm start` does not run where nothing is set', async () => {
    const empty = join(directory, 'empty');
    const { code, stderr } = await run(DOCTOR, ['--tenant', 'tenant-a'], { DATA_DIRECTORY: empty });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^Nothing says which database to look at: .*npm run serve.*npm start.*\n$/);
  });
});
