import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, CONNECT, createMeeting, mutate, succeed, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, auditOf, branches, newTenant, WITHOUT_WAITS } from './support.ts';

const UPDATE = `mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { meetingDefaults { recordAutomatically lobbyBypass allowedPresenters } } userErrors { code message path remedy } } }`;
const READ = `query ($id: ID!) { teamsMeeting(id: $id) { defaultsFailure { code } } }`;
const MICROSOFTS = { recordAutomatically: false, lobbyBypass: 'ORGANIZATION', allowedPresenters: 'EVERYONE' };
const OURS = { recordAutomatically: true, lobbyBypass: 'INVITED', allowedPresenters: 'ORGANIZER' };

let subgraph: TestSubgraph;
let admin: string;
beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  admin = await activate(subgraph);
});
afterAll(() => subgraph.close());

describe('defaults that Microsoft is known not to take are refused up front', () => {
  it('presenters by role, with what to use instead', async () => {
    const { userErrors } = await mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, UPDATE, {
      meetingDefaults: { allowedPresenters: 'ROLE_IS_PRESENTER' },
    });
    expect(branches(userErrors)).toEqual([{ code: 'INVALID_INPUT', path: 'input.meetingDefaults.allowedPresenters' }]);
    expect(userErrors[0]?.remedy).toMatch(/ORGANIZATION/);
  });

  it('any but Microsoft’s own in China', async () => {
    const { admin: chinese } = await newTenant(subgraph, 'tenant-in-china');
    await succeed(
      subgraph,
      chinese,
      'mutation ($input: ConnectMicrosoftAppInput!) { connectMicrosoftApp(input: $input) { userErrors { code message path remedy } } }',
      { clientId: ACME.clientId, directoryId: ACME.directoryId, clientSecret: ACME.secret, cloud: 'CHINA' },
    );
    const refused = await mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, chinese, UPDATE, {
      meetingDefaults: { recordAutomatically: true },
    });
    expect(branches(refused.userErrors)).toEqual([{ code: 'INVALID_INPUT', path: 'input.meetingDefaults' }]);
    await succeed(subgraph, chinese, UPDATE, { meetingDefaults: MICROSOFTS });
  });

  it('and are not asked for in China where they were set before its cloud was connected', async () => {
    const { admin: chinese } = await newTenant(subgraph, 'tenant-late-in-china');
    await succeed(subgraph, chinese, UPDATE, { meetingDefaults: OURS });
    await succeed(subgraph, chinese, CONNECT, {
      clientId: ACME.clientId,
      directoryId: ACME.directoryId,
      clientSecret: ACME.secret,
      cloud: 'CHINA',
    });
    const organizerUserPrincipalName = ACME.organizer;
    await succeed(subgraph, chinese, UPDATE, { organizerUserPrincipalName, installStatus: 'ACTIVE' });
    const meeting = await createMeeting(subgraph, chinese, { appointmentId: 'appt-in-china' });
    expect(meeting.status).toBe('SCHEDULED');
    await subgraph.runJobs();
    const sent = await subgraph.simulator.requests({ method: 'PATCH', path: '/onlineMeetings/' });
    expect(sent).toEqual([]);
    expect(await auditOf(subgraph, 'tenant-late-in-china', 'apply-meeting-defaults')).toEqual([]);
    const { data } = await subgraph.send(chinese, READ, { id: meeting.id });
    expect(data).toEqual({ teamsMeeting: { defaultsFailure: null } });
  });
});
