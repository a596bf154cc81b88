import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeOrganizer } from '../../../src/services/verification/probe-organizer.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import { MICROSOFT } from '../../support/setup.ts';
import { ANY_TOKEN, auditOf, everythingStored, ROLES } from '../domain/support.ts';
import { checkOf, mend, named, subgraph, useVerification, verified, verify } from './support.ts';

const { directoryId, organizer, organizerId, clientId, secret } = MICROSOFT['tenant-a'];
const MINUTE_MS = 60_000;

useVerification();
beforeEach(() => subgraph.database.query('DELETE FROM organizer_verifications'));
afterEach(mend);

const setOrganizer = (change: Parameters<typeof subgraph.simulator.updateUser>[2]) =>
  subgraph.simulator.updateUser(directoryId, organizer, change);

describe('a Teams policy that is missing', () => {
  let advancedMs = 0;
  const advance = (milliseconds: number) => {
    advancedMs += milliseconds;
    subgraph.advanceClock(milliseconds);
  };
  afterEach(() => {
    subgraph.advanceClock(-advancedMs);
    advancedMs = 0;
  });
  const policy = async () => checkOf(await verified(), 'policy');

  it('may have been granted a moment ago, it says, and since when it was missed', async () => {
    await setOrganizer({ teamsPolicyAppIds: [] });
    const first = await policy();
    expect(first.detail).toMatch(/up to 30 minutes after its grant/);
    expect(first.detail).not.toMatch(/Every verification since/);
    expect(first.remedy).toMatch(/within the last 30 minutes, only wait/);

    advance(10 * MINUTE_MS);
    const second = await policy();
    const since = /Every verification since (\S+ \S+ UTC) has missed it/.exec(second.detail)?.[1];
    expect(since).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    expect(second.remedy).toMatch(/verify again when 30 minutes have passed/);

    // An outage in between says nothing about the policy.
    await subgraph.simulator.addFault({ match: { path: '^/v1.0/' }, status: 500, times: 1000 });
    expect((await verified()).outcome).toBe('GRAPH_ERROR');
    await subgraph.simulator.clearFaults();

    advance(25 * MINUTE_MS);
    const third = await policy();
    expect(third.detail).toContain(`Every verification since ${since} has missed it`);
    expect(third.remedy).toMatch(/Get-CsApplicationAccessPolicy must list this app id/);
  });

  it('begins anew after it was there', async () => {
    await setOrganizer({ teamsPolicyAppIds: [] });
    await policy();
    await mend();
    expect((await policy()).status).toBe('PASS');
    advance(MINUTE_MS);
    await setOrganizer({ teamsPolicyAppIds: [] });
    expect((await policy()).detail).not.toMatch(/Every verification since/);
  });
});

describe('Exchange granting the calendar by RBAC for Applications', () => {
  beforeEach(async () => {
    await subgraph.simulator.updateApp(directoryId, clientId, {
      roles: ROLES.filter((role) => role !== 'Calendars.ReadWrite'),
    });
    await setOrganizer({ exchangeRoleAppIds: [clientId] });
    await subgraph.simulator.putUser({
      directoryId,
      id: 'aaaaaaaa-0000-4000-8000-0000000000c0',
      userPrincipalName: 'colleague@acme.example',
    });
  });

  it('is verified, with a warning that the permission is not in the token', async () => {
    const verification = await verified({ outsideMailbox: 'colleague@acme.example' });
    expect(verification.outcome).toBe('VERIFIED');
    expect(named(verification, 'FAIL')).toEqual([]);
    expect(named(verification, 'WARN')).toEqual(['roles']);
    expect(checkOf(verification, 'roles').detail).toMatch(/as it should be where Exchange grants it/);
    expect(checkOf(verification, 'mailbox-outside').detail).toMatch(/keeps the app out/);
  });

  it('is undone by a consent to another calendar permission, which opens every mailbox and is named', async () => {
    const roles = [...ROLES.filter((role) => role !== 'Calendars.ReadWrite'), 'Calendars.Read'];
    await subgraph.simulator.updateApp(directoryId, clientId, { roles });
    const outside = checkOf(await verified({ outsideMailbox: 'colleague@acme.example' }), 'mailbox-outside');
    expect(outside).toMatchObject({ status: 'WARN', remedy: expect.stringContaining('consent to Calendars.Read in') });
    expect(outside.remedy).not.toContain('Calendars.ReadWrite');
  });

  it('with a scope that is too wide is told of the scope, not of a consent that is not there', async () => {
    await subgraph.simulator.updateUser(directoryId, 'colleague@acme.example', { exchangeRoleAppIds: [clientId] });
    const outside = checkOf(await verified({ outsideMailbox: 'colleague@acme.example' }), 'mailbox-outside');
    expect(outside).toMatchObject({ status: 'WARN', remedy: expect.stringMatching(/narrow the scope/i) });
    expect(outside.remedy).not.toMatch(/consent/);
  });

  it('is told from a scope that leaves the organizer out', async () => {
    await setOrganizer({ exchangeRoleAppIds: [] });
    const verification = await verified({ outsideMailbox: 'colleague@acme.example' });
    expect(named(verification, 'FAIL')).toEqual(['exchange-scope']);
    expect(checkOf(verification, 'mailbox-outside').status).toBe('SKIP');
  });
});

describe('a mailbox outside the scope', () => {
  it('is refused by an application access policy', async () => {
    await subgraph.simulator.putUser({
      directoryId,
      id: 'aaaaaaaa-0000-4000-8000-0000000000c0',
      userPrincipalName: 'colleague@acme.example',
      exchangeScopeAppIds: [],
    });
    await subgraph.simulator.clearRequests();
    const verification = await verified({ outsideMailbox: 'colleague@acme.example' });
    expect(checkOf(verification, 'mailbox-outside')).toMatchObject({ status: 'PASS', remedy: null });
    const touched = await subgraph.simulator.requests({ path: 'colleague@acme\\.example' });
    expect(touched.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)).toEqual([
      'GET /v1.0/users/colleague@acme.example/calendar',
    ]);
  });

  it('shows nothing when there is no such mailbox, or Microsoft fails', async () => {
    expect(checkOf(await verified({ outsideMailbox: 'nobody@acme.example' }), 'mailbox-outside')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringMatching(/no mailbox of the name/),
    });
    await subgraph.simulator.addFault({ match: { path: 'nobody' }, status: 500, times: 1000 });
    const verification = await verified({ outsideMailbox: 'nobody@acme.example' });
    expect(verification.outcome).toBe('VERIFIED');
    expect(checkOf(verification, 'mailbox-outside').status).toBe('SKIP');
  });

  it('is not the organizer’s own, and is an address', async () => {
    expect(await verify({ outsideMailbox: organizer.toUpperCase() })).toMatchObject({
      verification: null,
      userErrors: [{ code: 'INVALID_INPUT', path: ['input', 'outsideMailbox'] }],
    });
    for (const outsideMailbox of ['../../users/x', 'x@y/../z', 'nobody']) {
      expect((await verify({ outsideMailbox })).userErrors).toMatchObject([
        { code: 'INVALID_INPUT', path: ['input', 'outsideMailbox'] },
      ]);
    }
  });
});

describe('names that somebody chose', () => {
  it.each([
    ['HTML', '<script>alert(1)</script><img src=x onerror=alert(1)>'],
    ['PowerShell', '"; Remove-Mailbox -Identity * $(calc) `whoami'],
    ['SQL', "'); DROP TABLE organizer_verifications; --"],
    ['a format', '%s %d {0} {{secret}}'],
  ])('are carried as data: %s', async (_name, displayName) => {
    await setOrganizer({ displayName });
    const verification = await verified();
    expect(verification.outcome).toBe('VERIFIED');
    expect(checkOf(verification, 'organizer').detail).toBe(`The organizer is ${displayName} (${organizerId}).`);
  });

  it.each([
    ['a NUL', 'Sche\u0000duling', 'Sche duling'],
    ['lines', 'Scheduling\r\n[TeamsMeetings] operation=verify', 'Scheduling  [TeamsMeetings] operation=verify'],
    ['an escape of a terminal', '\u001b[31mred', ' [31mred'],
    ['letters that turn the direction', 'ab\u202Ecd', 'ab cd'],
    ['half a pair', 'ab\uD800cd', 'ab cd'],
  ])('lose what would do more than stand there: %s', async (_name, displayName, shown) => {
    await setOrganizer({ displayName });
    expect(checkOf(await verified(), 'organizer').detail).toBe(`The organizer is ${shown} (${organizerId}).`);
  });

  it('are cut where they have no end', async () => {
    await setOrganizer({ displayName: 'x'.repeat(100_000) });
    expect(checkOf(await verified(), 'organizer').detail.length).toBeLessThan(300);
  });

  it('stand in no line of the log and no row of the audit trail', async () => {
    await setOrganizer({ displayName: 'Marked name' });
    subgraph.logs.length = 0;
    await verified({ outsideMailbox: 'marked@acme.example' });
    expect(JSON.stringify(subgraph.logs)).not.toMatch(/Marked name|marked@/);
    expect(JSON.stringify(await auditOf(subgraph, 'tenant-a', 'verify'))).not.toMatch(/Marked name|marked@/);
  });
});

describe('secrets', () => {
  it.each([
    ['a good set-up', async () => {}],
    ['a wrong secret', () => subgraph.simulator.updateApp(directoryId, clientId, { secrets: [] })],
    ['a missing policy', () => setOrganizer({ teamsPolicyAppIds: [] })],
  ])('and tokens and links stand in no answer, log or row: %s', async (_name, breakIt) => {
    await breakIt();
    subgraph.logs.length = 0;
    const text = JSON.stringify([await verify(), subgraph.logs, await everythingStored(subgraph)]);
    expect(text).not.toContain(secret);
    expect(text).not.toMatch(ANY_TOKEN);
    expect(text).not.toMatch(/meetup-join|clientState/);
  });

  it('that no key of the installation opens are told, with what to do', async () => {
    const [row] = await subgraph.database.query<{ text: string }>(
      "SELECT credential_ciphertext AS text FROM microsoft_apps WHERE tenant_id = 'tenant-a'",
    );
    await subgraph.database.query(
      "UPDATE microsoft_apps SET credential_ciphertext = replace(credential_ciphertext, 'v1:test:', 'v1:gone:') WHERE tenant_id = 'tenant-a'",
    );
    const answer = await verify();
    await subgraph.database.query("UPDATE microsoft_apps SET credential_ciphertext = $1 WHERE tenant_id = 'tenant-a'", [
      row?.text,
    ]);
    expect(answer).toMatchObject({
      verification: null,
      userErrors: [{ code: 'NOT_CONFIGURED', remedy: expect.stringMatching(/ENCRYPTION_KEYS/) }],
    });
  });
});

describe('what the log says of a verification', () => {
  it('is one line with tenant, outcome, check, duration and request id', async () => {
    await subgraph.simulator.updateUser(directoryId, organizer, { exchangeScopeAppIds: [] });
    subgraph.logs.length = 0;
    const verification = await verified();
    const { graphRequestId } = checkOf(verification, 'exchange-scope');
    expect(graphRequestId).toMatch(/\S/);
    expect(subgraph.logs.filter(({ msg }) => msg === '[TeamsMeetings] operation=verify')).toMatchObject([
      {
        tenantId: 'tenant-a',
        outcome: 'MAILBOX_SCOPE_DENIED',
        check: 'exchange-scope',
        graphRequestId,
        durationMs: expect.any(Number),
      },
    ]);
  });
});

describe('probes that change nothing', () => {
  it('only read at Microsoft', async () => {
    const scope = { viewer: backgroundViewer('tenant-a'), db: subgraph.db.forTenant('tenant-a') };
    const graph = await subgraph.services.microsoftApp.graphFor(scope);
    if (graph === null) throw new Error('no app');
    await subgraph.simulator.clearRequests();
    const tools = { clock: () => new Date() } as Parameters<typeof probeOrganizer>[2];
    const list = await probeOrganizer(graph, organizerId, tools, { changesNothing: true });
    expect(list.outcome()).toBe('VERIFIED');
    expect(list.checks.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['meeting']));
    expect(list.checks.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['webhook']));
    const requests = await subgraph.simulator.requests({ host: 'graph' });
    expect(new Set(requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    for (const { status, graphRequestId, name } of list.checks) {
      const isGraphs = !['directory', 'app', 'secret', 'roles'].includes(name);
      if (status === 'PASS' && isGraphs) expect(graphRequestId).toMatch(/\S/);
    }
  });
});
