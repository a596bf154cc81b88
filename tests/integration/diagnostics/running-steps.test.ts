import { describe, expect, it } from 'vitest';
import { createMeeting } from '../../support/setup.ts';
import { ACME } from '../domain/support.ts';
import { admin, advance, diagnose, diagnosed, scopeOf, sql, stepOf, subgraph, useDiagnosing } from './diagnosing.ts';

useDiagnosing();

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ensure = () => subgraph.services.notifications.ensureSubscriptions(scopeOf());
const subscriptions = (set: string, ...values: unknown[]) =>
  sql(`UPDATE graph_subscriptions SET ${set} WHERE tenant_id = 'tenant-a'`, ...values);

/** Microsoft has none of our subscriptions any more, and our rows do not know of any. */
async function withoutSubscriptions(): Promise<void> {
  for (const { id } of await subgraph.simulator.listSubscriptions(ACME.directoryId))
    await subgraph.simulator.loseSubscription(id);
  await subscriptions('subscription_id = NULL, expires_at = NULL, renewed_at = NULL, next_attempt_at = now()');
}

describe('verification', () => {
  const verification = (set: string) => sql(`UPDATE organizer_verifications SET ${set} WHERE tenant_id = 'tenant-a'`);

  it('that was never made is a warning', async () => {
    await sql('DELETE FROM organizer_verifications');
    expect(await diagnosed('verification')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('never verified'),
      remedy: 'Run verifyTeamsOrganizer.',
    });
  });

  it('that failed is a warning with its outcome and age: what is so today other steps tell', async () => {
    await verification("outcome = 'POLICY_MISSING', ran_at = now() - interval '3 hours'");
    expect(await diagnosed('verification')).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/3 h ago, came out as POLICY_MISSING/),
    });
  });

  it.each([
    [80, 'PASS'],
    [100, 'WARN'],
  ])('of %i days ago is %s', async (days, status) => {
    await verification(`ran_at = now() - interval '${days} days'`);
    expect(await diagnosed('verification')).toMatchObject({
      status,
      detail: expect.stringContaining(`${days} days ago`),
    });
  });
});

describe('subscriptions', () => {
  it('say what is active and until when', async () => {
    expect((await diagnosed('subscriptions')).detail).toMatch(
      /^Notifications of recordings: active until \S+ \S+ UTC\. Notifications of transcripts: active until \S+ \S+ UTC\.$/,
    );
  });

  it('tell of the quota of the directory, with its remedy and the next try', async () => {
    await withoutSubscriptions();
    await subgraph.simulator.setSubscriptionBehaviour({ quota: 0 });
    await ensure();
    await subgraph.simulator.setSubscriptionBehaviour({});
    const step = await diagnosed('subscriptions');
    expect(step).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(
        /^Notifications of recordings: not made yet\. The last try failed: The directory has as many change notification subscriptions as Microsoft allows\. Next try: \S+ \S+ UTC\./,
      ),
      remedy: expect.stringMatching(/^Remove subscriptions of apps that are no longer used\./),
    });
  });

  it('tell of a refusal for want of a permission', async () => {
    await withoutSubscriptions();
    await subgraph.simulator.updateApp(ACME.directoryId, ACME.clientId, {
      roles: ['Calendars.ReadWrite', 'User.Read.All'],
    });
    await subgraph.services.microsoftApp.refreshTokens(scopeOf());
    await ensure();
    expect(await diagnosed('subscriptions')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('lacks a Microsoft Graph application permission'),
      remedy: expect.stringContaining('grant admin consent'),
    });
  });

  it('that lapsed, or are not renewed in time, are a warning', async () => {
    const lasting = await subgraph.tokens.sign(
      { sub: 'user-admin', kind: 'msp', tenant_id: 'tenant-a', permissions: ['teams_settings:update'] },
      { expiresAt: Math.floor(Date.now() / 1000) + 9 * 86_400 },
    );
    await advance(4 * DAY_MS);
    expect(await diagnosed('subscriptions', lasting)).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/recordings: lapsed since/),
    });
    await advance(-DAY_MS - 4 * HOUR_MS);
    expect(await diagnosed('subscriptions', lasting)).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('active until'),
    });
  });

  it('are not wanted while the integration is not active, and not there yet a moment after', async () => {
    await sql("UPDATE teams_integrations SET install_status = 'INSTALL_PENDING' WHERE tenant_id = 'tenant-a'");
    expect((await diagnosed('subscriptions')).status).toBe('SKIP');
    await sql("UPDATE teams_integrations SET install_status = 'ACTIVE' WHERE tenant_id = 'tenant-a'");
    await sql("DELETE FROM graph_subscriptions WHERE tenant_id = 'tenant-a'");
    expect(await diagnosed('subscriptions')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('asked for yet'),
    });
  });
});

describe('webhook', () => {
  it('is proven by subscriptions that Microsoft made', async () => {
    expect(await diagnosed('webhook')).toMatchObject({
      status: 'PASS',
      detail: 'Microsoft reached this server when it took the subscriptions. No notification has come in so far.',
    });
  });

  it('says when the last notification came', async () => {
    await sql(
      `INSERT INTO graph_notifications (tenant_id, graph_subscription_id, artifact_id, online_meeting_id, first_received_at, last_received_at, queued_at)
       SELECT tenant_id, id, 'artifact', 'meeting', now(), now() - interval '1 hour', now() FROM graph_subscriptions WHERE tenant_id = 'tenant-a' LIMIT 1`,
    );
    expect(await diagnosed('webhook')).toMatchObject({
      status: 'PASS',
      detail: expect.stringMatching(/^The last notification came on \S+ \S+ UTC\.$/),
    });
  });

  it('that Microsoft called in vain fails, with what to mend', async () => {
    await withoutSubscriptions();
    await subgraph.simulator.addFault({
      match: { method: 'POST', path: '/subscriptions$' },
      status: 400,
      body: {
        error: {
          code: 'InvalidRequest',
          message:
            'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
        },
      },
      times: 2,
    });
    await ensure();
    const report = await diagnose();
    expect(stepOf(report, 'webhook')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('could not reach the address'),
      remedy: expect.stringContaining('/webhooks/graph/'),
    });
    expect(report.recommendations[0]).toMatch(/^Let Microsoft reach \/webhooks\/graph\//);
    expect(report.recommendations.filter((text) => text.includes('/webhooks/graph/'))).toHaveLength(1);
  });

  it('on this computer, with no subscription so far, is a warning', async () => {
    await withoutSubscriptions();
    expect(await diagnosed('webhook')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('this computer'),
    });
  });
});

describe('meetings', () => {
  const meeting = async (id: string) => createMeeting(subgraph, admin, { appointmentId: `appt-${id}` });
  const failed = (appointment: string, code: string, remedy: string) =>
    sql(
      `UPDATE online_meetings SET status = 'FAILED', failure = $2 WHERE appointment_id = $1`,
      `appt-${appointment}`,
      JSON.stringify({
        code,
        message: `Failed by ${code}.`,
        remedy,
        occurredAt: '2026-01-01T00:00:00Z',
        graphRequestId: null,
      }),
    );

  it('that failed are counted, with the commonest cause and its remedy', async () => {
    for (const id of ['f1', 'f2', 'f3', 'fine']) await meeting(id);
    await failed('f1', 'POLICY_MISSING', 'Grant the policy. Then wait.');
    await failed('f2', 'MAILBOX_UNAVAILABLE', 'Assign a licence.');
    await failed('f3', 'POLICY_MISSING', 'Grant the policy. Then wait.');
    const report = await diagnose();
    expect(stepOf(report, 'meetings')).toMatchObject({
      status: 'WARN',
      detail: '3 meetings have failed, most often by POLICY_MISSING: Failed by POLICY_MISSING.',
      remedy: 'Grant the policy. Then wait.',
    });
    expect(report.recommendations).toEqual(['Grant the policy.']);
  });

  it('of long ago are not told of any more', async () => {
    await meeting('old');
    await failed('old', 'POLICY_MISSING', 'Grant the policy.');
    await sql("UPDATE online_meetings SET starts_at = now() - interval '9 days', ends_at = now() - interval '8 days'");
    expect((await diagnosed('meetings')).status).toBe('PASS');
  });

  it('that are tried in vain for more than an hour are told', async () => {
    await meeting('stuck');
    await sql("UPDATE online_meetings SET version = synced_version + 1, failing_since = now() - interval '2 hours'");
    expect(await diagnosed('meetings')).toMatchObject({
      status: 'WARN',
      detail: '1 has been tried in vain for more than an hour.',
      remedy: expect.stringContaining('retryTeamsMeeting'),
    });
  });
});

describe('capture', () => {
  const past = async (id: string, set: string) => {
    await createMeeting(subgraph, admin, { appointmentId: `appt-${id}` });
    await sql(
      `UPDATE online_meetings SET starts_at = now() - interval '3 hours', ends_at = now() - interval '2 hours', ${set} WHERE appointment_id = $1`,
      `appt-${id}`,
    );
  };
  const failure = (message: string, remedy: string) =>
    `'${JSON.stringify({ code: 'TRANSCRIPT_ACCESS_DISABLED', message, remedy, occurredAt: '2026-01-01T00:00:00Z', graphRequestId: null })}'`;

  it('says when it last looked and what it found', async () => {
    expect((await diagnosed('capture')).detail).toBe(
      'No meeting has been looked at yet; nothing has been found so far.',
    );
    await past('looked', 'capture_last_attempt_at = now()');
    await sql(
      `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, created_at)
       SELECT tenant_id, gen_random_uuid(), id, 'recording', now() FROM online_meetings`,
    );
    expect(await diagnosed('capture')).toMatchObject({
      status: 'PASS',
      detail: expect.stringMatching(
        /^The last look at a meeting was on \S+ \S+ UTC; something was last found on \S+ \S+ UTC\.$/,
      ),
    });
  });

  it('that Microsoft refuses is a warning with cause and remedy', async () => {
    await past(
      'blocked',
      `capture_state = 'BLOCKED', capture_last_attempt_at = now(), capture_failure = ${failure('Apps may not read.', 'Run Set-CsTeamsMeetingConfiguration.')}`,
    );
    expect(await diagnosed('capture')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('At 1 meeting of the last 30 days Microsoft refuses: Apps may not read.'),
      remedy: 'Run Set-CsTeamsMeetingConfiguration.',
    });
  });

  it('that should have happened is a warning', async () => {
    await past('overdue', "capture_next_at = now() - interval '90 minutes'");
    expect(await diagnosed('capture')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('1 meeting should have been looked at'),
    });
  });

  it.each([
    ['left in a directory that is no longer connected', "left_in = 'GLOBAL former'"],
    ['whose organizer was never found', 'organizer_object_id = NULL'],
  ])('of meetings %s is not told: nobody may look at them', async (_, set) => {
    await past('late', `capture_next_at = now() - interval '90 minutes', ${set}`);
    await past('refused', `capture_state = 'BLOCKED', capture_failure = ${failure('No.', 'Ask.')}, ${set}`);
    expect((await diagnosed('capture')).status).toBe('PASS');
  });

  it('is not overdue while the integration is not active', async () => {
    await past('resting', "capture_next_at = now() - interval '90 minutes'");
    await sql("UPDATE teams_integrations SET install_status = 'INSTALL_PENDING' WHERE tenant_id = 'tenant-a'");
    expect((await diagnosed('capture')).status).toBe('PASS');
  });

  it('of all meetings of the organizer that failed is a warning', async () => {
    await sql(
      `INSERT INTO artifact_cursors (tenant_id, organizer_object_id, kind, read_at, failure)
       VALUES ('tenant-a', $1, 'transcripts', now(), ${failure('No transcripts.', 'Ask the administrator.')})`,
      ACME.organizerId,
    );
    expect(await diagnosed('capture')).toMatchObject({
      status: 'WARN',
      detail: expect.stringContaining('No transcripts.'),
      remedy: 'Ask the administrator.',
    });
  });
});

describe('queue', () => {
  /** A job of a tenant that nobody takes; its key makes that it is cleared away. */
  const job = async (tenantId: string, name: string, set: string, task = 'sweep_tenant') => {
    const key = `test:${tenantId}:${name}`;
    await sql(
      `SELECT graphile_worker.add_job($3, json_build_object('tenantId', $1::text), job_key => $2)`,
      tenantId,
      key,
      task,
    );
    await sql(`UPDATE graphile_worker._private_jobs SET ${set} WHERE key = $1`, key);
  };

  it.each([
    ['5 minutes', 'WARN', /1 waiting, the oldest for 5 min/, /^Run the diagnosis again/],
    [
      '20 minutes',
      'FAIL',
      /the oldest for 20 min.*Nobody works on jobs\./,
      /^Start a worker: npm run serve -- --role=worker\.$/,
    ],
  ])('whose oldest job has waited for %s is %s', async (age, status, detail, remedy) => {
    await job('tenant-a', 'late', `run_at = now() - interval '${age}'`);
    expect(await diagnosed('queue')).toMatchObject({
      status,
      detail: expect.stringMatching(detail),
      remedy: expect.stringMatching(remedy),
    });
  });

  it('that is worked on and does not keep up asks for more workers', async () => {
    await job('tenant-a', 'late', "run_at = now() - interval '20 minutes'");
    await job('tenant-b', 'running', "locked_at = now(), locked_by = 'worker'");
    const step = await diagnosed('queue');
    expect(step).toMatchObject({ status: 'FAIL', remedy: expect.stringMatching(/^Raise WORKER_CONCURRENCY/) });
    expect(step.detail).not.toContain('running');
  });

  it('counts what runs, what will be tried again and what was given up, and names the last', async () => {
    await job('tenant-a', 'running', "locked_at = now(), locked_by = 'worker'");
    await job(
      'tenant-a',
      'retried',
      "attempts = 3, run_at = now() + interval '1 hour', last_error = 'secret of the error'",
    );
    expect(await diagnosed('queue')).toMatchObject({
      status: 'PASS',
      detail: expect.stringMatching(/1 running; \d+ planned for later; 1 tried in vain, to be tried again\.$/),
    });
    await job('tenant-a', 'given-up', "attempts = 25, run_at = now() - interval '2 days'", 'capture_tenant');
    const step = await diagnosed('queue');
    expect(step).toMatchObject({
      status: 'WARN',
      detail: expect.stringMatching(/1 given up after too many tries: capture_tenant\.$/),
      remedy: expect.stringMatching(/why capture_tenant fails/),
    });
    expect(JSON.stringify(step)).not.toContain('secret of the error');
  });

  it('does not take the job of a worker that was killed for one that runs', async () => {
    const held = "locked_by = 'killed', attempts = 1, run_at = now() - interval '20 minutes'";
    await job('tenant-a', 'held', `locked_at = now() - interval '80 seconds', ${held}`);
    expect(await diagnosed('queue')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringMatching(/1 waiting, the oldest for 20 min;.*Nobody works on jobs\.$/),
      remedy: 'Start a worker: npm run serve -- --role=worker.',
    });
    await sql(
      "UPDATE graphile_worker._private_jobs SET locked_at = now() - interval '70 seconds' WHERE key LIKE '%:held'",
    );
    expect(await diagnosed('queue')).toMatchObject({ status: 'PASS', detail: expect.stringContaining('1 running') });
  });

  it('does not take a job that a newer one took the place of for one that was given up', async () => {
    await job('tenant-a', 'replaced', "attempts = 1, locked_at = now(), locked_by = 'worker'");
    await job('tenant-a', 'replaced', "run_at = now() + interval '1 hour'");
    await sql('UPDATE graphile_worker._private_jobs SET locked_at = NULL, locked_by = NULL WHERE key IS NULL');
    const { status, detail } = await diagnosed('queue');
    expect({ status, detail }).toMatchObject({ status: 'PASS', detail: expect.not.stringContaining('given up') });
  });

  it('does not warn for ever of a job that was given up', async () => {
    await job('tenant-a', 'given-up', "attempts = 25, run_at = now() - interval '8 days'");
    const { status, detail } = await diagnosed('queue');
    expect({ status, detail }).toMatchObject({ status: 'PASS', detail: expect.not.stringContaining('given up') });
  });

  it('of another tenant is not told, however long it is', async () => {
    const before = await diagnosed('queue');
    for (const name of ['1', '2', '3']) await job('tenant-b', name, "run_at = now() - interval '2 days'");
    expect(await diagnosed('queue')).toMatchObject({ status: 'PASS', detail: before.detail });
  });
});
