import { describe, expect, it } from 'vitest';
import { CONNECT, mutate, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ACME, auditOf, newTenant, ROLES } from './support.ts';
import { breakApp, breakUser, calendar, read, subgraph, useVerifying, verified, verify, without } from './verifying.ts';

useVerifying();

describe('what was granted or repaired a moment ago', () => {
  it('a role is seen at once, by a fresh token', async () => {
    await without('OnlineMeetingRecording.Read.All')();
    expect((await verified()).outcome).toBe('PERMISSION_MISSING');
    await breakApp({ roles: ROLES })();
    expect((await verified()).outcome).toBe('VERIFIED');
  });

  it('a role that was taken away is missed at once', async () => {
    expect((await verified()).outcome).toBe('VERIFIED');
    await without('Calendars.ReadWrite')();
    expect((await verified()).outcome).toBe('PERMISSION_MISSING');
  });

  it('an event whose removal hiccups once is removed all the same', async () => {
    await subgraph.simulator.addFault({ match: { method: 'DELETE', path: '/events/' }, status: 503 });
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await calendar()).toEqual([]);
  });

  it('an event whose creation was answered with a gateway time-out is not left behind', async () => {
    await subgraph.simulator.addFault({ match: { method: 'POST', path: '/events' }, status: 504, after: true });
    expect((await verified()).outcome).toBe('VERIFIED');
    expect(await calendar()).toEqual([]);
  });
});

describe('before there is anything to verify', () => {
  it('says that no app is connected, and stores nothing', async () => {
    const { admin: token } = await newTenant(subgraph, 'tenant-verify-1');
    expect(await verify(token)).toMatchObject({
      verification: null,
      userErrors: [{ code: 'NOT_CONFIGURED', message: expect.stringMatching(/app/) }],
    });
    expect((await read(token)).teamsSettings).toBeNull();
    expect((await read(token)).teamsSetupGuide.steps.map(({ status }) => status)).toEqual(Array(9).fill('SKIP'));
  });

  it('says that no organizer is saved', async () => {
    const { tenantId, admin: token } = await newTenant(subgraph, 'tenant-verify-2');
    await succeed(subgraph, token, CONNECT, {
      clientId: ACME.clientId,
      directoryId: ACME.directoryId,
      clientSecret: ACME.secret,
    });
    expect(await verify(token)).toMatchObject({
      verification: null,
      userErrors: [{ code: 'NOT_CONFIGURED', message: expect.stringMatching(/organizer/) }],
    });
    expect(await auditOf(subgraph, tenantId, 'verify')).toEqual([]);
  });

  it('looks up an organizer again whose app was replaced', async () => {
    const { admin: token } = await newTenant(subgraph, 'tenant-verify-3');
    await subgraph.simulator.putApp({
      directoryId: ACME.directoryId,
      clientId: 'aaaaaaaa-0000-4000-8000-000000000003',
      secrets: [{ value: 'third-app-secret' }],
      roles: ROLES,
    });
    await breakUser({ teamsPolicyAppIds: [ACME.clientId, 'aaaaaaaa-0000-4000-8000-000000000003'] })();
    await succeed(subgraph, token, CONNECT, {
      clientId: ACME.clientId,
      directoryId: ACME.directoryId,
      clientSecret: ACME.secret,
    });
    await succeed(subgraph, token, UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
    await mutate(subgraph, token, CONNECT, {
      clientId: 'aaaaaaaa-0000-4000-8000-000000000003',
      directoryId: ACME.directoryId,
      clientSecret: 'third-app-secret',
    });
    expect((await verify(token)).verification?.outcome).toBe('VERIFIED');
  });
});
