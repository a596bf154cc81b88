import { describe, expect, it } from 'vitest';
import { createMeeting, mutate, UPDATE_SETTINGS, type UserErrorAnswer } from '../../support/setup.ts';
import { selfSignedCertificate } from '../../unit/graph/certificate.ts';
import {
  activeTenant,
  connect,
  freshTenant,
  SECOND_APP,
  SETTINGS,
  subgraph,
  toGlobex,
  useChangingApp,
} from './changing-app.ts';
import { ACME, ALWAYS, branches, TOKEN_ENDPOINT } from './support.ts';

useChangingApp();

describe('while a new credential is tried', () => {
  it('the token of the old one stays in use, even while Entra is out of order', async () => {
    const { admin } = await activeTenant();
    await createMeeting(subgraph, admin, { appointmentId: 'before' });
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, status: 503, times: ALWAYS });
    expect((await connect(admin, { clientSecret: 'another-secret-value' })).userErrors).toMatchObject([
      { code: 'GRAPH_UNAVAILABLE' },
    ]);
    const meeting = await createMeeting(subgraph, admin, { appointmentId: 'meanwhile' });
    expect(meeting.status).toBe('SCHEDULED');
  });

  it('the same credential again is proved anew, not by the token that is cached', async () => {
    const { admin } = await activeTenant();
    await createMeeting(subgraph, admin, { appointmentId: 'before' });
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [{ value: 'rotated-at-entra' }] });
    expect(branches((await connect(admin)).userErrors)).toEqual([
      { code: 'CREDENTIALS_REJECTED', path: 'input.clientSecret' },
    ]);
  });

  it('a secret that was connected once and was revoked since is proved anew', async () => {
    const { admin } = await activeTenant();
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { secrets: [{ value: 'rotated-at-entra' }] });
    expect((await connect(admin, { clientSecret: 'rotated-at-entra' })).userErrors).toEqual([]);
    expect((await connect(admin)).userErrors).toMatchObject([{ code: 'CREDENTIALS_REJECTED' }]);
    const { data } = await subgraph.send<{ teamsSettings: { microsoftApp: { credentialHint: string } } }>(
      admin,
      SETTINGS,
    );
    expect(data?.teamsSettings.microsoftApp.credentialHint).toBe('rot…');
  });

  it('a certificate takes the place of a secret, and the other way round', async () => {
    const { admin } = await activeTenant();
    const certificate = selfSignedCertificate();
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, { certificates: [certificate.certificatePem] });
    expect((await connect(admin, { clientSecret: undefined, ...certificate })).userErrors).toEqual([]);
    expect((await createMeeting(subgraph, admin, { appointmentId: 'by-certificate' })).status).toBe('SCHEDULED');
    expect((await connect(admin)).userErrors).toEqual([]);
    expect((await createMeeting(subgraph, admin, { appointmentId: 'by-secret' })).status).toBe('SCHEDULED');
  });
});

describe('at the same time', () => {
  it('two first connects both come through, and one of them holds', async () => {
    await subgraph.simulator.putApp({
      directoryId: ACME.directoryId,
      clientId: SECOND_APP.clientId,
      secrets: [{ value: SECOND_APP.clientSecret }],
    });
    for (let round = 0; round < 5; round += 1) {
      const { tenantId, admin } = await freshTenant();
      const answers = await Promise.all([connect(admin), connect(admin, SECOND_APP), connect(admin)]);
      expect(answers.map(({ userErrors }) => userErrors)).toEqual([[], [], []]);
      const apps = await subgraph.database.query<{ client_id: string; credential_hint: string }>(
        'SELECT client_id, credential_hint FROM microsoft_apps WHERE tenant_id = $1',
        [tenantId],
      );
      expect([
        [{ client_id: ACME.clientId, credential_hint: 'sim…' }],
        [{ client_id: SECOND_APP.clientId, credential_hint: 'sec…' }],
      ]).toContainEqual(apps);
    }
  });

  it('two first updates of the settings both come through', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { admin } = await freshTenant();
      const answers = await Promise.all([
        mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false }),
        mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE_SETTINGS, { artifactRetentionDays: 7 }),
      ]);
      expect(answers).toMatchObject([{ userErrors: [] }, { userErrors: [] }]);
      const { data } = await subgraph.send(
        admin,
        '{ teamsSettings { sendMeetingInvites artifactRetentionDays installStatus } }',
      );
      expect(data).toEqual({
        teamsSettings: { sendMeetingInvites: false, artifactRetentionDays: 7, installStatus: 'NOT_CONFIGURED' },
      });
    }
  });

  it('another app and an organizer of the former one: what is saved fits together', async () => {
    const { admin } = await activeTenant();
    await subgraph.simulator.addFault({ match: { path: `/users/${ACME.organizer}` }, delayMs: 500 });
    const [saved, connected] = await Promise.all([
      mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE_SETTINGS, {
        organizerUserPrincipalName: ACME.organizer,
        installStatus: 'ACTIVE',
      }),
      connect(admin, toGlobex),
    ]);
    expect(connected.userErrors).toEqual([]);
    expect(saved.userErrors).toMatchObject([{ code: 'CONFLICT', path: ['input', 'organizerUserPrincipalName'] }]);
    const { data } = await subgraph.send(admin, SETTINGS);
    expect(data).toMatchObject({ teamsSettings: { installStatus: 'INSTALL_PENDING', organizer: { objectId: null } } });
  });
});
