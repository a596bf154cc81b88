import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { CONNECT, MICROSOFT, mutate, succeed, UPDATE_SETTINGS, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, mendMicrosoft, newTenant, WITHOUT_WAITS } from './support.ts';

export const GLOBEX = MICROSOFT['tenant-b'];
export const SECOND_APP = { clientId: 'aaaaaaaa-0000-4000-8000-000000000002', clientSecret: 'second-app-secret' };
const ORGANIZER_OF: Record<string, string> = {
  'acme.example': ACME.organizer,

  [ACME.directoryId]: ACME.organizer,
  [GLOBEX.directoryId]: GLOBEX.organizer,
};

const READ = `query ($id: ID!) { teamsMeeting(id: $id) { status joinUrl startsAt failure { code message remedy } } }`;
export const RESCHEDULE = `mutation ($input: RescheduleTeamsMeetingInput!) { rescheduleTeamsMeeting(input: $input) { meeting { status startsAt } userErrors { code message path remedy } } }`;
export const CANCEL = `mutation ($input: CancelTeamsMeetingInput!) { cancelTeamsMeeting(input: $input) { meeting { status } userErrors { code message path remedy } } }`;
export const SETTINGS = `{ teamsSettings { installStatus microsoftApp { clientId credentialHint } organizer { userPrincipalName objectId } } }`;
export const MOVED = { startsAt: '2036-12-05T10:00:00Z', endsAt: '2036-12-05T11:00:00Z' };

export interface Answer {
  meeting: { status: string; startsAt: string } | null;
  userErrors: UserErrorAnswer[];
}

export let subgraph: TestSubgraph;
let tenants = 0;

export const connect = (admin: string, over: object = {}) =>
  mutate<{ userErrors: UserErrorAnswer[] }>(subgraph, admin, CONNECT, {
    clientId: ACME.clientId,
    directoryId: ACME.directoryId,
    clientSecret: ACME.secret,
    ...over,
  });

export const toGlobex = { directoryId: GLOBEX.directoryId, clientId: GLOBEX.clientId, clientSecret: GLOBEX.secret };

export async function activateWith(
  admin: string,
  over: Partial<Record<'directoryId' | 'clientId' | 'clientSecret' | 'cloud', string>> = {},
): Promise<void> {
  expect((await connect(admin, over)).userErrors).toEqual([]);
  const organizerUserPrincipalName = ORGANIZER_OF[over.directoryId ?? ACME.directoryId];
  await succeed(subgraph, admin, UPDATE_SETTINGS, { organizerUserPrincipalName, installStatus: 'ACTIVE' });
}

/** A tenant in use whose meetings are in Acme's directory. */
export async function activeTenant(): Promise<{ tenantId: string; admin: string }> {
  const tenant = await freshTenant();
  await activateWith(tenant.admin);
  return tenant;
}

export async function read(admin: string, { id }: { id: string }) {
  const { data } = await subgraph.send<{
    teamsMeeting: { status: string; joinUrl: string | null; startsAt: string; failure: { code: string } | null };
  }>(admin, READ, { id });
  return data?.teamsMeeting;
}

/** Everything that went to Graph, as one text. */
export async function toldToGraph(): Promise<string> {
  const requests = await subgraph.simulator.requests();
  return requests
    .filter(({ host }) => host !== 'entra')
    .map(({ path, query, body }) => decodeURIComponent(JSON.stringify([path, query, body])))
    .join('\n');
}

/** An admin of a tenant of the test's own that has connected nothing. */
export function freshTenant(): Promise<{ tenantId: string; admin: string }> {
  tenants += 1;
  return newTenant(subgraph, `tenant-change-app-${tenants}`);
}

/** Starts a subgraph for the file, and gives each test a good Microsoft. */
export function useChangingApp(): void {
  beforeAll(async () => {
    subgraph = await startTestSubgraph({ graph: { ...WITHOUT_WAITS, maxTries: 2 } });
  });
  afterEach(() => mendMicrosoft(subgraph));
  afterAll(() => subgraph.close());
}
