import { afterEach, expect, it } from 'vitest';
import { CONNECT, MICROSOFT, succeed, UPDATE_SETTINGS } from '../../support/setup.ts';
import { newTenant, ROLES } from '../domain/support.ts';
import { mend, named, subgraph, useVerification, type Verification, verify } from './support.ts';

const { directoryId, clientId, secret, organizer } = MICROSOFT['tenant-a'];
const TEAMS = ['policy', 'recordings', 'transcript-access', 'transcripts', 'transcript-attribution', 'webhook'];

useVerification();
afterEach(mend);

it('in a cloud without online meetings in Graph, what hangs on them is skipped and not asked for', async () => {
  const { admin: token } = await newTenant(subgraph, 'tenant-in-china');
  await succeed(subgraph, token, CONNECT, { clientId, directoryId, clientSecret: secret, cloud: 'CHINA' });
  await succeed(subgraph, token, UPDATE_SETTINGS, { organizerUserPrincipalName: organizer });
  const roles = ROLES.filter((role) => !role.startsWith('OnlineMeeting'));
  await subgraph.simulator.updateApp(directoryId, clientId, { roles });
  await subgraph.simulator.updateUser(directoryId, organizer, { teamsPolicyAppIds: [] });
  await subgraph.simulator.clearRequests();

  const verification = (await verify({}, { token })).verification as Verification;
  expect(named(verification, 'FAIL')).toEqual([]);
  expect(named(verification, 'WARN')).toEqual([]);
  expect(verification.outcome).toBe('VERIFIED');
  const skipped = verification.checks.filter(({ name }) => TEAMS.includes(name));
  expect(skipped.map(({ name }) => name)).toEqual(TEAMS);
  for (const { status, detail, remedy } of skipped) {
    expect({ status, remedy }).toEqual({ status: 'SKIP', remedy: null });
    expect(detail).toContain('does not offer this in this cloud');
  }
  expect(await subgraph.simulator.requests({ path: 'onlineMeetings|subscriptions' })).toEqual([]);
});
