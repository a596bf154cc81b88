import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONNECT, MICROSOFT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { ROLES } from '../domain/support.ts';
import { admin, checkOf, mend, subgraph, useVerification, type Verification, verified } from './support.ts';

const { directoryId, clientId, organizer, organizerId } = MICROSOFT['tenant-a'];
const COLLEAGUE = 'colleague@acme.example';
const SECOND_APP = { clientId: 'aaaaaaaa-0000-4000-8000-000000000002', clientSecret: 'second-app-secret' };

useVerification();

const sql = (text: string) => subgraph.database.query(text);
const choose = (organizerUserPrincipalName: string) =>
  succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName });
const connectSecond = () => succeed(subgraph, admin, CONNECT, { directoryId, ...SECOND_APP });

beforeEach(async () => {
  await sql('DELETE FROM organizer_verifications');
  await sql('DELETE FROM diagnostics_reports');
  await subgraph.simulator.putUser({
    directoryId,
    id: 'aaaaaaaa-0000-4000-8000-0000000000c0',
    userPrincipalName: COLLEAGUE,
  });
  await subgraph.simulator.putApp({
    directoryId,
    clientId: SECOND_APP.clientId,
    secrets: [{ value: SECOND_APP.clientSecret }],
    roles: ROLES,
  });
});
afterEach(async () => {
  await mend();
  await choose(organizer);
});

interface Told {
  teamsSettings: { lastVerification: { outcome: string } | null };
  teamsDiagnostics: { overall: string } | null;
  teamsSetupGuide: { steps: { title: string; status: string }[] };
}

/** What everybody is told of what was found last. */
async function told() {
  const { data } = await subgraph.send<Told>(
    admin,
    '{ teamsSettings { lastVerification { outcome } } teamsDiagnostics { overall } teamsSetupGuide { steps { title status } } }',
  );
  const page = await fetch(`${subgraph.url}/status`, { headers: { authorization: `Bearer ${admin}` } });
  const seen = /^(Grant|Limit|Or limit|Let|Verify|Diagnose)/;
  const steps = data?.teamsSetupGuide.steps.filter(({ title }) => seen.test(title)) ?? [];
  return {
    verification: data?.teamsSettings.lastVerification?.outcome ?? null,
    isDiagnosed: data?.teamsDiagnostics !== null,
    guide: [...new Set(steps.map(({ status }) => status))],
    page: await page.text(),
  };
}

interface Diagnosed {
  runTeamsDiagnostics: { report: { steps: { name: string; status: string; detail: string }[] } };
}

async function diagnose() {
  const { data } = await subgraph.send<Diagnosed>(
    admin,
    'mutation { runTeamsDiagnostics { report { steps { name status detail } } userErrors { code } } }',
  );
  return data?.runTeamsDiagnostics.report.steps ?? [];
}

const NOTHING = {
  verification: null,
  isDiagnosed: false,
  guide: ['SKIP'],
  page: expect.stringContaining('Nobody has looked since the app or the organizer changed.'),
};

const organizerOf = (verification: Verification) => checkOf(verification, 'organizer').detail;

describe('what was found of another set-up is not told as today’s', () => {
  it.each([
    ['the organizer', () => choose(COLLEAGUE)],
    ['the app', connectSecond],
  ])('after %s was changed', async (_what, change) => {
    await verified();
    await diagnose();
    expect(await told()).toMatchObject({ verification: 'VERIFIED', isDiagnosed: true });
    await change();
    expect(await told()).toMatchObject(NOTHING);
    expect((await diagnose()).find(({ name }) => name === 'verification')).not.toMatchObject({ status: 'PASS' });
  });

  it('but is again when that one is back', async () => {
    await verified();
    await choose(COLLEAGUE);
    await choose(organizer);
    expect(await told()).toMatchObject({ verification: 'VERIFIED' });
  });

  it('nor what an earlier release found, which did not note of whom', async () => {
    await verified();
    await diagnose();
    await sql('UPDATE organizer_verifications SET set_up = NULL');
    await sql('DELETE FROM diagnostics_reports');
    expect(await told()).toMatchObject(NOTHING);
  });

  it('nor since when another organizer’s policy has been missing', async () => {
    for (const user of [organizer, COLLEAGUE]) {
      await subgraph.simulator.updateUser(directoryId, user, { teamsPolicyAppIds: [] });
    }
    await verified();
    await choose(COLLEAGUE);
    expect(checkOf(await verified(), 'policy')).toMatchObject({
      status: 'FAIL',
      detail: expect.not.stringContaining('Every verification since'),
    });
    expect(checkOf(await verified(), 'policy').detail).toContain('Every verification since');
  });
});

describe('while one organizer is verified', () => {
  it('another one that is saved meanwhile has a verification of its own, and the late result is not told of it', async () => {
    await subgraph.simulator.clearRequests();
    await subgraph.simulator.addFault({ match: { path: '/calendar' }, delayMs: 5_000 });
    const first = verified();
    await expect.poll(() => subgraph.simulator.requests({ path: '/calendar$' }), { timeout: 10_000 }).toHaveLength(1);
    await choose(COLLEAGUE);
    const second = verified();
    await setTimeout(200);
    await subgraph.simulator.clearFaults();
    expect(organizerOf(await first)).toContain(organizerId);
    expect(organizerOf(await second)).not.toContain(organizerId);

    await sql(
      `UPDATE organizer_verifications SET ran_at = now() + interval '1 minute' WHERE set_up LIKE '%${organizerId}'`,
    );
    const { data } = await subgraph.send<{ teamsSettings: { lastVerification: Verification } }>(
      admin,
      '{ teamsSettings { lastVerification { outcome ranAt checks { name detail } } } }',
    );
    expect(data?.teamsSettings.lastVerification.ranAt).toBe((await second).ranAt);
  });

  it('each result is stored with the app and the organizer that it is about', async () => {
    await verified();
    expect(await sql('SELECT set_up FROM organizer_verifications')).toEqual([
      { set_up: `GLOBAL/${directoryId}/${clientId}/${organizerId}` },
    ]);
  });
});
