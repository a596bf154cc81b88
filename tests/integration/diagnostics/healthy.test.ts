import { describe, expect, it } from 'vitest';
import { createMeeting, MICROSOFT } from '../../support/setup.ts';
import { ANY_TOKEN, auditOf, everythingStored, newTenant } from '../domain/support.ts';
import {
  activeTenant,
  admin,
  diagnose,
  latest,
  namesOf,
  type Report,
  sql,
  statuses,
  stepOf,
  subgraph,
  useDiagnosing,
} from './diagnosing.ts';

useDiagnosing();

const FIELDS = 'overall steps { name } recommendations';

describe('a set-up in order', () => {
  it('is green, with nothing to recommend, and nothing is changed at Microsoft', async () => {
    await subgraph.simulator.clearRequests();
    const report = await diagnose();
    expect({ red: namesOf(report, 'FAIL'), yellow: namesOf(report, 'WARN') }).toEqual({ red: [], yellow: [] });
    expect(report.overall).toBe('PASS');
    expect(report.recommendations).toEqual([]);
    expect(statuses(report)).toMatchObject({
      integration: 'PASS',
      'app-connected': 'PASS',
      organizer: 'PASS',
      permissions: 'PASS',
      'microsoft-mailbox': 'PASS',
      'microsoft-policy': 'PASS',
      verification: 'PASS',
      subscriptions: 'PASS',
      webhook: 'PASS',
      meetings: 'PASS',
      capture: 'PASS',
      queue: 'PASS',
      'encryption-keys': 'PASS',
      'blob-store': 'PASS',
      clock: 'PASS',
      database: 'PASS',
    });
    const requests = await subgraph.simulator.requests({});
    const changing = requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('/token'));
    expect(changing).toEqual([]);
  });

  it('has a title and a detail for each step, a remedy for none, and each name once', async () => {
    const { steps } = await diagnose();
    expect(new Set(steps.map(({ name }) => name)).size).toBe(steps.length);
    for (const step of steps) {
      expect(step).toMatchObject({
        title: expect.stringMatching(/^[A-Z]/),
        detail: expect.stringMatching(/^[A-Z].*\.$/s),
        remedy: null,
      });
      expect(step.durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  it('lists each permission with what it is for and whether today’s token has it', async () => {
    const { permissions } = await diagnose();
    expect(permissions.map(({ name, required }) => [name, required])).toEqual([
      ['Calendars.ReadWrite', true],
      ['OnlineMeetings.ReadWrite.All', true],
      ['OnlineMeetingRecording.Read.All', true],
      ['OnlineMeetingTranscript.Read.All', true],
      ['User.Read.All', true],
      ['OnlineMeetingArtifact.Read.All', false],
    ]);
    for (const { grantedInToken, usedFor } of permissions) {
      expect(grantedInToken).toBe(true);
      expect(usedFor).toMatch(/./);
    }
  });

  it('is kept, read back as it was, and stands in the audit trail', async () => {
    const report = await diagnose();
    expect(await latest()).toEqual(report);
    const audit = (await auditOf(subgraph, 'tenant-a', 'diagnose')).at(-1);
    expect(audit).toMatchObject({
      actor: 'msp:user-admin',
      outcome: 'PASS',
      detail: { FAIL: 0, WARN: 0, PASS: namesOf(report, 'PASS').length, SKIP: namesOf(report, 'SKIP').length },
    });
  });

  it('is logged in one line, with who and how long', async () => {
    subgraph.logs.length = 0;
    await diagnose();
    const lines = subgraph.logs.filter(({ msg }) => String(msg).includes('operation=diagnose'));
    expect(lines).toEqual([
      expect.objectContaining({ tenantId: 'tenant-a', outcome: 'PASS', failing: [], durationMs: expect.any(Number) }),
    ]);
  });

  it('keeps the last twenty reports of a tenant, and those of others', async () => {
    await sql('DELETE FROM diagnostics_reports');
    const store = (tenant: string, count: number) =>
      sql(
        `INSERT INTO diagnostics_reports (tenant_id, id, set_up, overall, steps, permissions, recommendations, ran_at)
         SELECT $1, gen_random_uuid(), '-/-', 'PASS', '[]', '[]', '{}', now() - n * interval '1 hour' FROM generate_series(1, $2::int) n`,
        tenant,
        count,
      );
    await store('tenant-a', 25);
    await store('tenant-b', 25);
    const { ranAt } = await diagnose();
    const rows = await sql(
      'SELECT tenant_id, count(*)::int AS kept, max(ran_at) AS newest FROM diagnostics_reports GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toMatchObject([{ tenant_id: 'tenant-a', kept: 20, newest: new Date(ranAt) }, { kept: 25 }]);
  });
});

describe('a report', () => {
  it('says nothing of secrets, tokens, links, addresses or meetings', async () => {
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: 'appt-secretive',
      subject: 'Takeover of Initech',
    });
    const text = JSON.stringify(await diagnose());
    expect(text).not.toMatch(ANY_TOKEN);
    for (const secret of [
      MICROSOFT['tenant-a'].secret,
      meeting.joinUrl ?? '',
      meeting.id,
      'Takeover',
      'jane@acme.example',
      'meetup-join',
      '127.0.0.1',
      subgraph.database.url,
    ])
      expect(text).not.toContain(secret);
    expect(await everythingStored(subgraph)).not.toContain(MICROSOFT['tenant-a'].secret);
  });

  it('tells nothing of another tenant: not of its jobs, meetings, organizer or secrets', async () => {
    const other = await activeTenant('tenant-b');
    await createMeeting(subgraph, other, { appointmentId: 'appt-of-b', subject: 'Of B' });
    await sql(`SELECT graphile_worker.add_job('deliver_events', json_build_object('tenantId', 'tenant-b', 'meetingId', n::text), job_key => 'test:' || n)
                 FROM generate_series(1, 37) n`);
    await sql(
      `UPDATE graphile_worker._private_jobs SET attempts = 25, last_error = 'of tenant B' WHERE payload->>'tenantId' = 'tenant-b'`,
    );
    await sql("UPDATE online_meetings SET status = 'FAILED' WHERE tenant_id = 'tenant-b'");
    await sql("UPDATE microsoft_apps SET credential_ciphertext = 'v1:key-of-b:x:y' WHERE tenant_id = 'tenant-b'");
    const report = await diagnose();
    expect(report.overall).toBe('PASS');
    for (const word of [MICROSOFT['tenant-b'].organizer, MICROSOFT['tenant-b'].clientId, 'tenant-b', 'key-of-b'])
      expect(JSON.stringify(report)).not.toContain(word);
    expect(stepOf(report, 'queue').detail).not.toMatch(/given up|deliver_events/);
    const theirs = await diagnose(other);
    expect(stepOf(theirs, 'queue')).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/3[789]|4\d given up/),
    });
    expect(stepOf(theirs, 'encryption-keys')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('key-of-b'),
    });
    expect(JSON.stringify(theirs)).not.toContain(MICROSOFT['tenant-a'].organizer);
    expect(await latest()).toEqual(report);
  });

  it('is nobody’s but an admin’s', async () => {
    const before = await sql('SELECT count(*)::int AS n FROM diagnostics_reports');
    for (const role of ['technician', 'client', 'service'] as const) {
      const token = await subgraph.tokens.token(role);
      for (const operation of [
        `{ teamsDiagnostics { ${FIELDS} } }`,
        `mutation { runTeamsDiagnostics { report { ${FIELDS} } } }`,
      ]) {
        const { data, errors } = await subgraph.send(token, operation);
        expect(errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
        expect(JSON.stringify(data)).not.toContain('steps');
      }
    }
    const anonymous = await subgraph.send(null, `mutation { runTeamsDiagnostics { report { ${FIELDS} } } }`);
    expect(anonymous.errors.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED']);
    const reader = await subgraph.tokens.token('admin', { permissions: ['teams_settings:read'] });
    expect((await latest(reader))?.overall).toBe('PASS');
    const { errors } = await subgraph.send(reader, `mutation { runTeamsDiagnostics { report { ${FIELDS} } } }`);
    expect(errors.map(({ extensions }) => extensions.code)).toEqual(['FORBIDDEN']);
    expect(await sql('SELECT count(*)::int AS n FROM diagnostics_reports')).toEqual(before);
  });
});

describe('a tenant that was never set up', () => {
  it('gets a readable report with one recommendation', async () => {
    const { admin: token } = await newTenant(subgraph, 'tenant-new');
    expect(await latest(token)).toBeNull();
    const report: Report = await diagnose(token);
    expect(report.recommendations).toEqual(['Connect the Microsoft app with connectMicrosoftApp.']);
    expect(namesOf(report, 'FAIL')).toEqual([]);
    expect(namesOf(report, 'WARN')).toEqual(['integration']);
    expect(namesOf(report, 'PASS')).toEqual(['queue', 'blob-store', 'clock', 'database']);
    expect(namesOf(report, 'SKIP').length).toBeGreaterThan(5);
    expect(report.permissions.every(({ grantedInToken }) => grantedInToken === null)).toBe(true);
    expect(await latest(token)).toEqual(report);
  });
});
