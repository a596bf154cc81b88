import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KeyRing } from '../../src/services/microsoft-app/key-ring.ts';
import { activate, CREATE, MICROSOFT, meetingInput, mutate, type UserErrorAnswer } from '../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../support/subgraph.ts';
import { AUDIENCE, ISSUER } from '../support/tokens.ts';
import { run, start } from './process.ts';

const ROTATE = 'src/cli/keys-rotate.ts';
const newKey = (id: string) => ({ id, bytes: randomBytes(32) });
const [FORMER, FRESH, LOST] = [newKey('former'), newKey('fresh'), newKey('lost')];
const { secret, organizer } = MICROSOFT['tenant-a'];
const CREDENTIAL = JSON.stringify({ kind: 'CLIENT_SECRET', clientSecret: secret });
/** Tenants besides the two that are active; they come first in the order of a rotation. */
const OTHERS = Array.from({ length: 12 }, (_, index) => `other-${String(index).padStart(2, '0')}`);
const [BUSY = '', CHANGED = ''] = [OTHERS[5], OTHERS[9]];

let directory: string;
let subgraph: TestSubgraph;
let admin: string;
let environment: Record<string, string>;

const sql = <Row extends object>(text: string, ...values: unknown[]) => subgraph.database.query<Row>(text, values);

/** Puts everybody's secrets under the former key, as they are when a new one comes. */
async function underFormerKey(): Promise<void> {
  const ring = new KeyRing([FORMER]);
  for (const tenant of [...OTHERS, 'tenant-a', 'tenant-b'])
    await sql(
      'UPDATE microsoft_apps SET credential_ciphertext = $2 WHERE tenant_id = $1',
      tenant,
      ring.encrypt(CREDENTIAL, tenant),
    );
  await sql(
    "UPDATE graph_subscriptions SET former_credential_ciphertext = $1 WHERE tenant_id = 'tenant-a'",
    ring.encrypt(CREDENTIAL, 'tenant-a'),
  );
}

/** What stands in every encrypted column, in the order of a rotation. */
const stored = () =>
  sql<{ tenant: string; ciphertext: string }>(
    `SELECT tenant_id COLLATE "C" AS tenant, credential_ciphertext AS ciphertext FROM microsoft_apps UNION ALL
     SELECT tenant_id, former_credential_ciphertext FROM graph_subscriptions WHERE former_credential_ciphertext IS NOT NULL ORDER BY 1`,
  );
const keyIds = async () => (await stored()).map(({ ciphertext }) => ciphertext.split(':')[1]);

/** Holds the row of a tenant until it is let go, and waits for somebody who waits for it. */
async function holdApp(
  tenant: string,
): Promise<{ somebodyWaits(): Promise<void>; client: pg.Client; letGo(): Promise<void> }> {
  const client = new pg.Client({ connectionString: subgraph.database.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM microsoft_apps WHERE tenant_id = $1 FOR UPDATE', [tenant]);
  const waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
  return {
    client,
    somebodyWaits: () => expect.poll(() => sql(waiting), { timeout: 60_000 }).toHaveLength(1),
    async letGo() {
      await client.query('COMMIT');
      await client.end();
    },
  };
}

const saveOrganizer = () =>
  mutate<{ userErrors: UserErrorAnswer[] }>(
    subgraph,
    admin,
    'mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { userErrors { code message path remedy } } }',
    { organizerUserPrincipalName: organizer },
  );

/** Somebody whose every request needs the credential, until told to stop; then it says what went wrong. */
function traffic(): () => Promise<{ requests: number; errors: UserErrorAnswer[] }> {
  const stop = new AbortController();
  const errors: UserErrorAnswer[] = [];
  const loop = async () => {
    let requests = 0;
    for (; !stop.signal.aborted; requests += 1) errors.push(...(await saveOrganizer()).userErrors);
    return { requests, errors };
  };
  const running = loop();
  return () => {
    stop.abort();
    return running;
  };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keys-rotate-'));
  subgraph = await startTestSubgraph({ isCallable: true, services: { encryptionKeys: [FRESH, FORMER] } });
  admin = await activate(subgraph);
  await activate(subgraph, 'tenant-b');
  await subgraph.runJobs();
  for (const tenant of OTHERS)
    await sql(
      "INSERT INTO microsoft_apps SELECT (jsonb_populate_record(a, jsonb_build_object('tenant_id', $1::text))).* FROM microsoft_apps a WHERE tenant_id = 'tenant-a'",
      tenant,
    );
  const jwksFile = join(directory, 'jwks.json');
  await writeFile(jwksFile, JSON.stringify(subgraph.tokens.jwks));
  environment = {
    DATABASE_URL: subgraph.database.applicationUrl,
    PUBLIC_URL: 'http://127.0.0.1:4001',
    AUTH_JWKS_FILE: jwksFile,
    AUTH_ISSUER: ISSUER,
    AUTH_AUDIENCE: AUDIENCE,
    ENCRYPTION_KEYS: [FRESH, FORMER].map(({ id, bytes }) => `${id}:${bytes.toString('base64')}`).join(','),
    LINK_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  };
}, 60_000);
afterAll(async () => {
  await subgraph.close();
  await rm(directory, { recursive: true, force: true });
});
afterEach(() => sql("DELETE FROM audit_events WHERE operation = 'rotate-encryption-keys'"));

describe('npm run keys:rotate', () => {
  it('re-encrypts while a server serves, is killed, goes on where it ended, and then nothing needs the former key', {
    timeout: 180_000,
  }, async () => {
    await underFormerKey();
    const before = await stored();
    expect(new Set(await keyIds())).toEqual(new Set(['former']));
    expect(before.length).toBeGreaterThan(OTHERS.length + 2);

    const stopTraffic = traffic();
    const held = await holdApp(BUSY);
    const killed = start(ROTATE, [], environment);
    await held.somebodyWaits();
    killed.child.kill('SIGKILL');
    await killed.ended;
    await held.letGo();
    const doneFirst = OTHERS.indexOf(BUSY);
    expect((await keyIds()).filter((id) => id === 'fresh')).toHaveLength(doneFirst);

    // Somebody connects another app just when the rotation has read the old one.
    const connecting = await holdApp(CHANGED);
    const resumed = start(ROTATE, [], environment);
    await connecting.somebodyWaits();
    await connecting.client.query('UPDATE microsoft_apps SET credential_ciphertext = $2 WHERE tenant_id = $1', [
      CHANGED,
      new KeyRing([FORMER]).encrypt('"connected meanwhile"', CHANGED),
    ]);
    await connecting.letGo();
    expect(await resumed.ended, resumed.stderr()).toBe(0);
    const { requests, errors } = await stopTraffic();

    expect(resumed.stdout()).toContain(
      `Re-encrypted ${before.length - doneFirst} secrets of ${OTHERS.length + 2} tenants with the key “fresh”; ${doneFirst} were under it already.`,
    );
    expect(resumed.stdout()).toMatch(/The old key “former” is needed by nothing and may be removed now/);
    expect(resumed.stdout() + resumed.stderr() + killed.stderr()).not.toContain(secret);
    expect(errors).toEqual([]);
    expect(requests).toBeGreaterThan(0);

    const withoutFormer = new KeyRing([FRESH]);
    for (const { tenant, ciphertext } of await stored())
      expect(withoutFormer.decrypt(ciphertext, tenant)).toBe(tenant === CHANGED ? '"connected meanwhile"' : CREDENTIAL);
    const audit = await sql<{ tenant_id: string; actor: string; detail: object }>(
      "SELECT tenant_id, actor, detail FROM audit_events WHERE operation = 'rotate-encryption-keys'",
    );
    expect(audit).toHaveLength(OTHERS.length + 2);
    expect(audit[0]).toMatchObject({ actor: 'service:keys-rotate', detail: { keyId: 'fresh', secrets: 1 } });
  });

  it('only counts in a dry run', async () => {
    await underFormerKey();
    const before = await stored();
    const { code, stdout } = await run(ROTATE, ['--dry-run'], environment);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Would re-encrypt ${before.length} secrets of 14 tenants with the key “fresh”; 0 were under it already.\n`,
    });
    expect(await stored()).toEqual(before);
  });

  it('names what a lost key keeps from being read, goes on with the others, and exits with 1', async () => {
    await underFormerKey();
    await sql(
      "UPDATE microsoft_apps SET credential_ciphertext = $1 WHERE tenant_id = 'other-03'",
      new KeyRing([LOST]).encrypt(CREDENTIAL, 'other-03'),
    );
    const { code, stdout } = await run(ROTATE, [], environment);
    expect(code).toBe(1);
    expect(stdout).toContain(
      'Cannot be read (1):\n  tenant other-03: the credential of the connected app, encrypted with “lost”\n',
    );
    expect(stdout).toMatch(/Put the lost key back .*“lost”.*or let .* connectMicrosoftApp/);
    expect(stdout).toContain('The old key “former” is needed by nothing');
    expect(stdout).toContain('The key “lost” is still needed by 1 secret of 1 tenant: do not remove it.');
    expect((await keyIds()).filter((id) => id !== 'fresh')).toEqual(['lost']);
  });

  it('exits with 2 where nothing can be looked at, and says why', async () => {
    const DATABASE_URL = 'postgresql://x@127.0.0.1:1/x';
    const { code, stderr } = await run(ROTATE, [], { ...environment, DATABASE_URL });
    expect(stderr).toMatch(/^The rotation stopped: .*ECONNREFUSED.* run it again to go on/);
    expect(code).toBe(2);
  });
});

describe('a server whose key is lost', () => {
  const REMEDY = /ENCRYPTION_KEYS; or connect the app again/;

  it('says so to whoever needs the credential, serves everybody else, and is well once the app is connected again', async () => {
    await underFormerKey();
    await sql(
      "UPDATE microsoft_apps SET credential_ciphertext = $1 WHERE tenant_id = 'tenant-a'",
      new KeyRing([LOST]).encrypt(CREDENTIAL, 'tenant-a'),
    );
    expect((await saveOrganizer()).userErrors).toMatchObject([
      {
        code: 'NOT_CONFIGURED',
        message: expect.stringContaining('cannot be decrypted'),
        remedy: expect.stringMatching(REMEDY),
      },
    ]);
    const { meeting } = await mutate<{ meeting: { id: string; failure: UserErrorAnswer } }>(
      subgraph,
      admin,
      CREATE,
      meetingInput(),
    );
    expect(meeting.failure).toMatchObject({ code: 'NOT_CONFIGURED', remedy: expect.stringMatching(REMEDY) });
    expect(JSON.stringify(subgraph.logs)).toContain('needs the encryption key \\"lost\\"');
    const other = await subgraph.tokens.token('admin', { tenant_id: 'tenant-b' });
    expect((await subgraph.send(other, '{ teamsMeetingCapability { available } }')).data).toEqual({
      teamsMeetingCapability: { available: true },
    });

    await activate(subgraph);
    await subgraph.runJobs();
    const { data } = await subgraph.send<{ teamsMeeting: { joinUrl: string | null } }>(
      admin,
      `{ teamsMeeting(id: "${meeting.id}") { joinUrl } }`,
    );
    expect(data?.teamsMeeting.joinUrl).toMatch(/^https:/);
  });
});
