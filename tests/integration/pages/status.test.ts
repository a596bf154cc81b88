import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../src/cli/development-secrets.ts';
import type { DiagnosticsReport } from '../../../src/services/diagnostics/report.ts';
import type { Scope } from '../../../src/services/scope.ts';
import { activate, MICROSOFT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

const VERIFY = 'mutation { verifyTeamsOrganizer { verification { outcome } userErrors { code } } }';
const { directoryId, organizer } = MICROSOFT['tenant-a'];

/** What the next question for a tenant's latest diagnosis is answered with. */
const reports = new Map<string, DiagnosticsReport>();

let subgraph: TestSubgraph;
beforeAll(async () => {
  subgraph = await startTestSubgraph({
    isProduction: true,
    introspection: false,
    replace: ({ clock }) => {
      const services = {
        clock,
        diagnostics: {
          latest: async ({ db }: Scope) => reports.get(db.tenantId) ?? null,
          run: () => Promise.reject(new Error('The page runs nothing')),
        },
      };
      return services;
    },
  });
});
afterAll(() => subgraph?.close());
beforeEach(() => reports.clear());

function post(token: string, fields: Record<string, string> = {}): Promise<Response> {
  return fetch(`${subgraph.url}/status`, { method: 'POST', body: new URLSearchParams({ token, ...fields }) });
}

async function adminPage(tenant = 'tenant-a'): Promise<string> {
  const response = await post(await subgraph.tokens.token('admin', { tenant_id: tenant }));
  expect(response.status).toBe(200);
  return response.text();
}

function report(over: Partial<DiagnosticsReport> = {}): DiagnosticsReport {
  return { overall: 'PASS', steps: [], permissions: [], recommendations: [], ranAt: new Date(), ...over };
}

describe('who may read the status page', () => {
  it('is nobody without a token: there is a form, and nothing of any tenant', async () => {
    await activate(subgraph);
    const response = await fetch(`${subgraph.url}/status`);
    expect(response.status).toBe(200);
    const page = await response.text();
    expect(page).toContain('<form method="post" action="status">');
    expect(page).not.toMatch(/tenant-a|acme/);
  });

  it.each<[Role, JWTPayload]>([
    ['technician', {}],
    ['service', {}],
    ['client', {}],
    ['client', { permissions: ['teams_settings:read', 'teams_settings:update'] }],
    ['admin', { permissions: ['teams_settings:update'] }],
  ])('is no %s with %j', async (role, claims) => {
    const response = await post(await subgraph.tokens.token(role, claims));
    expect(response.status).toBe(403);
    const page = await response.text();
    expect(page).toContain('does not allow');
    expect(page).not.toMatch(/tenant-a|acme|Verification/);
  });

  it('is nobody whose token is not good, however it is brought', async () => {
    const past = Math.floor(Date.now() / 1000) - 60;
    const claims = { sub: 'x', kind: 'msp', tenant_id: 'tenant-a', permissions: ['teams_settings:read'] };
    const expired = await subgraph.tokens.sign(claims, { expiresAt: past });
    const foreign = await subgraph.tokens.sign(claims, { issuer: 'https://evil.example/' });
    for (const token of [expired, foreign, 'x', '', 'a.b.c', '<script>alert(1)</script>']) {
      const response = await post(token);
      expect(response.status).toBe(401);
      const page = await response.text();
      expect(page).not.toMatch(/tenant-a|acme|alert\(/);
      if (token.length > 10) expect(page).not.toContain(token);
    }
    const byHeader = await fetch(`${subgraph.url}/status`, { headers: { authorization: `Bearer ${expired}` } });
    expect(byHeader.status).toBe(401);
  });

  it('is nobody who puts the token into the address or a cookie', async () => {
    const token = await subgraph.tokens.token('admin');
    const inAddress = await fetch(`${subgraph.url}/status?token=${token}&authorization=Bearer%20${token}`);
    expect(await inAddress.text()).not.toContain('tenant-a');
    const inCookie = await fetch(`${subgraph.url}/status`, { headers: { cookie: `token=${token}` } });
    expect(await inCookie.text()).not.toContain('tenant-a');
    const posted = await fetch(`${subgraph.url}/status?token=${token}`, {
      method: 'POST',
      body: new URLSearchParams(),
    });
    expect(posted.status).toBe(401);
  });

  it('is who may read the settings, by form or by header, of the own tenant alone', async () => {
    await activate(subgraph, 'tenant-b');
    reports.set('tenant-a', report({ recommendations: ['Only for tenant A'] }));
    expect(await adminPage()).toContain('Only for tenant A');
    const other = await adminPage('tenant-b');
    expect(other).toContain('Tenant tenant-b');
    expect(other).not.toMatch(/Only for tenant A|tenant-a|acme/);
    const reader = await subgraph.tokens.token('technician', { permissions: ['teams_settings:read'] });
    const byHeader = await fetch(`${subgraph.url}/status`, { headers: { authorization: `Bearer ${reader}` } });
    expect(byHeader.status).toBe(200);
    expect(await byHeader.text()).toContain('Only for tenant A');
  });

  it('leaves nothing behind: no cookie, no copy in a cache, no token in a page or a log', async () => {
    const good = await subgraph.tokens.token('admin');
    const bad = await subgraph.tokens.token('technician');
    const responses = await Promise.all([post(good), post(`Bearer ${bad}`), fetch(`${subgraph.url}/status`)]);
    expect(responses.map(({ status }) => status)).toEqual([200, 403, 200]);
    for (const response of responses) {
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toMatch(
        /^default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      const page = await response.text();
      for (const token of [good, bad]) expect(page).not.toContain(token);
    }
    const logs = JSON.stringify(subgraph.logs);
    for (const token of [good, bad]) expect(logs).not.toContain(token.split('.')[2]);
    expect(subgraph.logs).toContainEqual(
      expect.objectContaining({ msg: '[TeamsMeetings] operation=status refused', status: 403, tenantId: 'tenant-a' }),
    );
  });

  it('is nobody at all while tokens cannot be checked', async () => {
    const alone = await startTestSubgraph({ jwksUrl: 'http://127.0.0.1:1/jwks.json' });
    const token = await alone.tokens.token('admin');
    const response = await fetch(`${alone.url}/status`, { method: 'POST', body: new URLSearchParams({ token }) });
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('Try again shortly')]);
    await alone.close();
  });

  it.each([
    ['JSON', 'application/json', '{"token":"x"}', 415],
    ['a file', 'multipart/form-data; boundary=x', '--x--', 415],
    ['too much', 'application/x-www-form-urlencoded', `token=${'x'.repeat(40_000)}`, 413],
  ])('brings no %s', async (_, type, body, status) => {
    const response = await fetch(`${subgraph.url}/status`, { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBe(status);
  });
});

describe('what the status page shows', () => {
  it('says that nobody has looked yet', async () => {
    const page = await adminPage('tenant-new');
    expect(page).toContain('Nobody has looked since the app or the organizer changed.');
    expect(page).toContain('<code>runTeamsDiagnostics</code>');
  });

  it('shows a red check of the verification with its remedy and the script that mends it', async () => {
    const admin = await activate(subgraph);
    await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [] });
    await subgraph.send(admin, VERIFY);
    const page = await adminPage();
    expect(page).toContain('Something is broken.');
    expect(page).toContain('<code>POLICY_MISSING</code>');
    const card = /<section class="card FAIL">.*?<\/section>/s.exec(page)?.[0] ?? '';
    expect(card).toContain('<strong>What to do:</strong>');
    expect(card).toContain('<button type="button" data-copies="verification-script-0" hidden>Copy the script</button>');
    expect(card).toMatch(
      /<pre id="verification-script-0">[^<]*Grant-CsApplicationAccessPolicy[^<]*scheduling@acme\.example/,
    );

    await subgraph.simulator.updateUser(directoryId, organizer, {
      teamsPolicyAppIds: [MICROSOFT['tenant-a'].clientId],
    });
    await subgraph.send(admin, VERIFY);
    const mended = await adminPage();
    expect(mended).toContain('<code>VERIFIED</code>');
    expect(mended).not.toContain('class="card FAIL"');
  });

  it('puts what is red before what is yellow, and the good behind a word', async () => {
    const step = (name: string, status: 'PASS' | 'WARN' | 'FAIL' | 'SKIP') => ({
      name,
      title: `The ${name}`,
      status,
      detail: `Detail of ${name}`,
      remedy: status === 'FAIL' || status === 'WARN' ? `Remedy of ${name}` : null,
      durationMs: 1,
    });
    reports.set(
      'tenant-a',
      report({
        overall: 'FAIL',
        ranAt: new Date(Date.now() - 3 * 3_600_000),
        steps: [step('good', 'PASS'), step('yellow', 'WARN'), step('exchange-scope', 'FAIL'), step('left', 'SKIP')],
        recommendations: ['First this.', 'Then that.'],
        permissions: [
          { name: 'User.Read.All', grantedInToken: false, usedFor: 'finding the organizer', required: true },
          { name: 'OnlineMeetingArtifact.Read.All', grantedInToken: null, usedFor: 'attendance', required: false },
        ],
      }),
    );
    const page = await adminPage();
    expect(page).toContain('3 hours ago');
    expect(page).toMatch(/<ol><li>First this\.<\/li><li>Then that\.<\/li><\/ol>/);
    expect(page.indexOf('The exchange-scope')).toBeLessThan(page.indexOf('The yellow'));
    expect(page).toContain('New-ManagementRoleAssignment');
    expect(page).toContain('The other steps: 1 good, 1 not looked at');
    expect(page).toMatch(/User\.Read\.All<\/th><td>no<\/td>\s*<td>needed/);
    expect(page).toMatch(/OnlineMeetingArtifact\.Read\.All<\/th><td>unknown<\/td>\s*<td>optional/);
  });

  it('lets nothing become part of the page that somebody has written, wherever it comes from', async () => {
    const hostile = `'"><img src=x onerror=alert(1)><script>alert(2)</script>&amp;`;
    const upn = `o'"><script>alert(3)</script>@acme.example`;
    await subgraph.simulator.putUser({
      directoryId,
      id: 'aaaaaaaa-0000-4000-8000-0000000000ff',
      userPrincipalName: upn,
      displayName: hostile,
      teamsPolicyAppIds: [],
    });
    const admin = await activate(subgraph);
    await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName: upn });
    await subgraph.send(admin, VERIFY);
    const tenant = `tenant-${hostile}`;
    const everywhere = report({
      overall: 'FAIL',
      steps: [
        { name: 'policy', title: hostile, status: 'FAIL', detail: hostile, remedy: hostile, durationMs: 1 },
        { name: 'good', title: hostile, status: 'PASS', detail: hostile, remedy: null, durationMs: 1 },
      ],
      permissions: [{ name: hostile, grantedInToken: true, usedFor: hostile, required: true }],
      recommendations: [hostile],
    });
    reports.set('tenant-a', everywhere).set(tenant, everywhere);
    for (const page of [await adminPage(), await adminPage(tenant)]) {
      expect(page).toContain('onerror=alert(1)&gt;');
      expect(page).not.toMatch(/<img|<script>alert/);
      expect(page.match(/<script>/g)).toHaveLength(1);
      expect(page.match(/ onerror=/g)?.length).toBe(page.match(/&lt;img src=x onerror=/g)?.length);
    }
    expect(await adminPage()).toContain('alert(3)&lt;/script&gt;@acme.example');
  });
});
