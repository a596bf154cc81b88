import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { KeyRing } from '../../../src/services/microsoft-app/key-ring.ts';
import { ENCRYPTED_COLUMNS } from '../../../src/services/microsoft-app/stored-secrets.ts';
import { createMeeting } from '../../support/setup.ts';
import { ACME, ALWAYS, ROLES, TOKEN_ENDPOINT } from '../domain/support.ts';
import {
  admin,
  advance,
  diagnose,
  diagnosed,
  latest,
  namesOf,
  sql,
  stepOf,
  subgraph,
  useDiagnosing,
} from './diagnosing.ts';

const KEYS = ['today', 'yesterday'].map((id) => ({ id, bytes: randomBytes(32) }));
const DAY_MS = 24 * 3_600_000;

useDiagnosing({ services: { encryptionKeys: KEYS } });

const settings = (set: string) => sql(`UPDATE teams_integrations SET ${set} WHERE tenant_id = 'tenant-a'`);
const setApp = (set: string, ...values: unknown[]) =>
  sql(`UPDATE microsoft_apps SET ${set} WHERE tenant_id = 'tenant-a'`, ...values);
const appAtMicrosoft = (change: Parameters<typeof subgraph.simulator.updateApp>[2]) =>
  subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, change);

describe('integration', () => {
  it.each([
    ['INSTALL_PENDING', 'WARN', /not active/, /Set installStatus to ACTIVE/],
    ['NOT_CONFIGURED', 'WARN', /not active/, /Set installStatus to ACTIVE/],
    ['ERROR', 'FAIL', /stopped by an error/, /Run verifyTeamsOrganizer/],
  ])('%s is %s', async (status, expected, detail, remedy) => {
    await settings(`install_status = '${status}'`);
    expect(await diagnosed('integration')).toMatchObject({
      title: 'Integration',
      status: expected,
      detail: expect.stringMatching(detail),
      remedy: expect.stringMatching(remedy),
    });
  });
});

describe('app-connected', () => {
  it('that is not connected fails, what needs it is skipped, and connecting it is the first thing to do', async () => {
    await sql("DELETE FROM microsoft_apps WHERE tenant_id = 'tenant-a'");
    const report = await diagnose();
    expect(stepOf(report, 'app-connected').status).toBe('FAIL');
    expect(report.recommendations[0]).toBe('Connect the Microsoft app with connectMicrosoftApp.');
    expect(namesOf(report, 'FAIL')).toEqual(['app-connected']);
    for (const name of ['credential-expiry', 'organizer', 'permissions', 'microsoft-probes', 'verification'])
      expect(stepOf(report, name).status).toBe('SKIP');
  });
});

describe('credential-expiry', () => {
  const expiring = (days: number) => {
    const at = new Date(Date.now() + days * DAY_MS);
    return setApp('credential_expires_at = $1, credential_kind = $2', at, 'CERTIFICATE');
  };

  it.each([
    [31, 'PASS', /expires on \d{4}-\d\d-\d\d \d\d:\d\d UTC, in 31 days\.$/],
    [29, 'WARN', /in 29 days\.$/],
    [1, 'WARN', /in 24 h\.$/],
    [-1, 'FAIL', /certificate expired on/],
  ])('in %i days is %s', async (days, status, detail) => {
    await expiring(days);
    const step = await diagnosed('credential-expiry');
    expect(step).toMatchObject({ status, detail: expect.stringMatching(detail) });
    if (status !== 'PASS')
      expect(step.remedy).toBe('Make a new certificate in Entra and connect it with connectMicrosoftApp.');
  });

  it('of a secret is not known here, and says where it is', async () => {
    expect(await diagnosed('credential-expiry')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('Certificates & secrets'),
    });
  });
});

describe('organizer', () => {
  it.each([
    [
      'was never saved',
      'organizer_upn = NULL, organizer_object_id = NULL',
      /No meeting organizer/,
      /^Save organizerUserPrincipalName/,
    ],
    ['was found in another directory', 'organizer_object_id = NULL', /has not been found/, /^Save the organizer again/],
  ])('that %s fails', async (_, set, detail, remedy) => {
    await settings(set);
    expect(await diagnosed('organizer')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringMatching(detail),
      remedy: expect.stringMatching(remedy),
    });
  });
});

describe('permissions', () => {
  it('that are missing fail by name, and the list says which', async () => {
    await appAtMicrosoft({ roles: ROLES.filter((role) => !role.includes('Transcript')) });
    const report = await diagnose();
    expect(stepOf(report, 'permissions')).toMatchObject({
      status: 'FAIL',
      detail: 'The token lacks: OnlineMeetingTranscript.Read.All (transcripts).',
      remedy: expect.stringContaining('In Entra, add OnlineMeetingTranscript.Read.All as'),
    });
    const granted = Object.fromEntries(report.permissions.map(({ name, grantedInToken }) => [name, grantedInToken]));
    expect(granted).toMatchObject({
      'OnlineMeetingTranscript.Read.All': false,
      'OnlineMeetingArtifact.Read.All': false,
      'Calendars.ReadWrite': true,
    });
  });

  it('that were granted a moment ago are seen', async () => {
    await appAtMicrosoft({ roles: [] });
    expect((await diagnosed('permissions')).status).toBe('FAIL');
    await appAtMicrosoft({ roles: ROLES });
    expect((await diagnosed('permissions')).status).toBe('PASS');
  });

  it('beyond what is used are a warning that names them', async () => {
    await appAtMicrosoft({ roles: [...ROLES, 'Mail.ReadWrite', 'Directory.ReadWrite.All'] });
    expect(await diagnosed('permissions')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('Directory.ReadWrite.All, Mail.ReadWrite'),
      remedy: expect.stringMatching(/^In Entra, take Directory\.ReadWrite\.All, Mail\.ReadWrite from/),
    });
  });

  it('that are missing and others that are too many are told together', async () => {
    await appAtMicrosoft({ roles: [...ROLES.filter((role) => !role.includes('Recording')), 'Mail.ReadWrite'] });
    const report = await diagnose();
    expect(stepOf(report, 'permissions')).toMatchObject({
      status: 'FAIL',
      detail:
        'The token lacks: OnlineMeetingRecording.Read.All (recordings). It carries more than is used: Mail.ReadWrite.',
      remedy: expect.stringMatching(/^In Entra, add OnlineMeetingRecording.* Also in Entra, take Mail\.ReadWrite from/),
    });
    expect(report.recommendations[0]).toMatch(/^In Entra, add .* and grant admin consent\.$/);
  });

  it('without the optional one, and with the calendar granted by Exchange, are in order', async () => {
    await appAtMicrosoft({ roles: ROLES.filter((role) => role !== 'Calendars.ReadWrite') });
    expect(await diagnosed('permissions')).toMatchObject({
      status: 'PASS',
      detail: expect.stringMatching(/RBAC for Applications.*no attendance reports/),
    });
  });

  it('are unknown where Microsoft gives no token; why is told once, and nothing that hangs on it is red', async () => {
    await appAtMicrosoft({ secrets: [] });
    const report = await diagnose();
    expect(report.permissions.every(({ grantedInToken }) => grantedInToken === null)).toBe(true);
    expect(stepOf(report, 'permissions').status).toBe('SKIP');
    expect(namesOf(report, 'FAIL')).toEqual([expect.stringMatching(/^microsoft-/)]);
    expect(report.recommendations).toEqual([expect.stringMatching(/client secret/)]);
  });

  it('say themselves why there is no token where no organizer is saved', async () => {
    await appAtMicrosoft({ secrets: [] });
    await settings('organizer_upn = NULL, organizer_object_id = NULL');
    const report = await diagnose();
    expect(stepOf(report, 'permissions')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('rejected the credential'),
      remedy: expect.stringContaining('client secret'),
    });
    expect(stepOf(report, 'microsoft-probes').status).toBe('SKIP');
  });
});

describe('microsoft', () => {
  it('tells each probe as a step of its own, red ones with their remedy', async () => {
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    const report = await diagnose();
    expect(stepOf(report, 'microsoft-policy')).toMatchObject({
      title: 'Teams application access policy',
      status: 'FAIL',
      remedy: expect.stringContaining('Grant-CsApplicationAccessPolicy'),
    });
    expect(report.overall).toBe('FAIL');
    expect(report.recommendations[0]).toMatch(/CsApplicationAccessPolicy/);
  });

  it('is not asked where no organizer is saved', async () => {
    await settings('organizer_upn = NULL, organizer_object_id = NULL');
    expect(await diagnosed('microsoft-probes')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('no meeting organizer'),
    });
  });

  /** The last verification, had it found this. */
  const verification = (outcome: string, check: object) =>
    sql(
      `UPDATE organizer_verifications SET outcome = $1, checks = $2::jsonb, ran_at = now() - interval '3 hours' WHERE tenant_id = 'tenant-a'`,
      outcome,
      JSON.stringify([{ detail: 'So.', remedy: null, durationMs: 0, graphRequestId: null, ...check }]),
    );

  it('asks with what is stored: a transcript, and since when verifications have missed the policy', async () => {
    expect((await diagnosed('microsoft-transcript-attribution')).detail).toContain('none stored here');
    await createMeeting(subgraph, admin, { appointmentId: 'appt-transcribed' });
    await sql(
      `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, created_at, is_speaker_attributed, vtt)
       SELECT tenant_id, gen_random_uuid(), id, 'transcript', now(), true, 'WEBVTT' FROM online_meetings WHERE appointment_id = 'appt-transcribed'`,
    );
    await sql(
      "UPDATE online_meetings SET graph_online_meeting_id = 'meeting' WHERE appointment_id = 'appt-transcribed'",
    );
    expect((await diagnosed('microsoft-transcript-attribution')).detail).toContain('the newest one could not be read');
    await verification('POLICY_MISSING', { name: 'policy', status: 'FAIL', outcome: 'POLICY_MISSING' });
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { teamsPolicyAppIds: [] });
    expect((await diagnosed('microsoft-policy')).detail).toMatch(/Every verification since \S+ \S+ UTC has missed it/);
  });

  it('does not take the app for narrowed while Entra grants any role that reads calendars', async () => {
    const others = ROLES.filter((role) => role !== 'Calendars.ReadWrite');
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeRoleAppIds: [ACME.clientId] });
    await appAtMicrosoft({ roles: others });
    expect(await diagnosed('mailbox-reach')).toMatchObject({ status: 'PASS' });
    await appAtMicrosoft({ roles: [...others, 'Calendars.Read', 'Calendars.ReadBasic.All'] });
    expect(await diagnosed('mailbox-reach')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('Entra grants Calendars.ReadBasic.All, Calendars.Read for every mailbox.'),
    });
  });

  it('carries on what the last verification saw at a mailbox outside', async () => {
    const seen = { detail: 'The app can also read it.', remedy: 'Limit the app to the organizer.' };
    await verification('VERIFIED', { name: 'mailbox-outside', status: 'WARN', ...seen });
    const report = await diagnose();
    expect(stepOf(report, 'mailbox-reach')).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/^Seen by the last verification, on \S+ \S+ UTC: The app can also read it\.$/),
      remedy: 'Limit the app to the organizer. Then run verifyTeamsOrganizer with that mailbox again.',
    });
    expect(report.recommendations).toEqual(['Limit the app to the organizer.']);
  });

  it('says of the reach of the app what a token tells', async () => {
    expect((await diagnosed('mailbox-reach')).status).toBe('SKIP');
    await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { exchangeScopeAppIds: [] });
    expect(await diagnosed('mailbox-reach')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('does not get into'),
    });
  });

  it('that is down fails in its own steps, and leaves the report whole', async () => {
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, status: 503, times: ALWAYS });
    const report = await diagnose();
    expect(report.overall).toBe('FAIL');
    expect(namesOf(report, 'FAIL')).toEqual([expect.stringMatching(/^microsoft-/)]);
    expect(report.steps.find(({ status }) => status === 'FAIL')?.detail).toContain('temporary error');
    expect(stepOf(report, 'database').status).toBe('PASS');
    expect(await latest()).toEqual(report);
  });
});

describe('clock', () => {
  it.each([
    [30_000, 'PASS', /within 30 s/],
    [3 * 60_000, 'WARN', /is 3 min ahead of Microsoft’s and 3 min ahead of the database’s/],
    [-3 * 60_000, 'WARN', /is 3 min behind Microsoft’s and 3 min behind the database’s/],
    [6 * 60_000, 'FAIL', /is 6 min ahead of Microsoft’s/],
  ])('off by %i ms is %s', async (skewMs, status, detail) => {
    await advance(skewMs, { simulator: false });
    const step = await diagnosed('clock');
    expect(step).toMatchObject({ status, detail: expect.stringMatching(detail) });
    if (status !== 'PASS') expect(step.remedy).toBe('Set the clock of this server by NTP.');
  });

  it('tells when the database’s alone is off', async () => {
    await advance(-2 * 60_000);
    expect(await diagnosed('clock')).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/is 120 s behind the database’s\.|is 2 min behind the database’s\./),
      remedy: 'Set the clock of the database server by NTP.',
    });
  });

  it('reads Microsoft’s off a refusal as well', async () => {
    await appAtMicrosoft({ secrets: [] });
    await subgraph.simulator.advanceClock(-7 * 60_000);
    const report = await diagnose();
    expect(stepOf(report, 'clock')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('7 min ahead of Microsoft’s'),
    });
    expect(report.recommendations[0]).toBe('Set the clock of this server by NTP.');
  });

  it('says that Microsoft’s is not known while Microsoft is away', async () => {
    await subgraph.simulator.addFault({ match: { path: TOKEN_ENDPOINT }, cut: 'before', times: ALWAYS });
    expect(await diagnosed('clock')).toMatchObject({ status: 'PASS', detail: expect.stringContaining('not known') });
  });
});

describe('encryption-keys', () => {
  const ring = (...keys: typeof KEYS) => new KeyRing(keys);
  const credential = JSON.stringify({ kind: 'CLIENT_SECRET', clientSecret: ACME.secret });
  const [today, yesterday] = KEYS;
  const lost = { id: 'lost', bytes: randomBytes(32) };

  it('that is lost fails with its id and what to do, and Microsoft is not asked', async () => {
    await setApp('credential_ciphertext = $1', ring(lost).encrypt(credential, 'tenant-a'));
    const report = await diagnose();
    expect(stepOf(report, 'encryption-keys')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('“lost”'),
      remedy: expect.stringMatching(
        /^Put the encryption key “lost” back into ENCRYPTION_KEYS, or connect the app again/,
      ),
    });
    expect(namesOf(report, 'FAIL')).toEqual(['encryption-keys']);
    expect(stepOf(report, 'permissions')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('cannot be read'),
    });
    expect(report.recommendations[0]).toMatch(/^Put the encryption key “lost” back/);
  });

  it('of the same id and other bytes, and a text of another tenant, fail as well', async () => {
    if (today === undefined) throw new Error('no key');
    for (const text of [
      ring({ id: 'today', bytes: randomBytes(32) }).encrypt(credential, 'tenant-a'),
      ring(today).encrypt(credential, 'tenant-b'),
      'no ciphertext at all',
    ]) {
      await setApp('credential_ciphertext = $1', text);
      expect((await diagnosed('encryption-keys')).status).toBe('FAIL');
    }
  });

  it('that is not the first is a warning, before it is taken away', async () => {
    if (yesterday === undefined) throw new Error('no key');
    await setApp('credential_ciphertext = $1', ring(yesterday).encrypt(credential, 'tenant-a'));
    expect(await diagnosed('encryption-keys')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('“yesterday”'),
      remedy: expect.stringContaining('npm run keys:rotate'),
    });
  });

  it('that a former app alone needs is a warning', async () => {
    await sql(
      "UPDATE graph_subscriptions SET former_credential_ciphertext = $1 WHERE tenant_id = 'tenant-a' AND kind = 'RECORDINGS'",
      ring(lost).encrypt(credential, 'tenant-a'),
    );
    expect(await diagnosed('encryption-keys')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('“lost”'),
    });
  });

  it('looks at every column in which something is encrypted', async () => {
    const columns = await sql(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name LIKE '%ciphertext%' ORDER BY 1`,
    );
    expect(columns.map(({ name }) => name)).toEqual([...ENCRYPTED_COLUMNS].sort());
  });
});
