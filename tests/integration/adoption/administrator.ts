import { CONNECT, mutate, succeed, UPDATE_SETTINGS, type UserErrorAnswer } from '../../support/setup.ts';
import { ACME, subgraph, tenant } from './support.ts';

/** A token of the test's tenant. */
export const administrator = () => subgraph.tokens.token('admin', { tenant_id: tenant });

/** Connects an app as the tenant's administrator does. */
export async function connect({
  clientId,
  directoryId,
  secret,
}: {
  clientId: string;
  directoryId: string;
  secret: string;
}) {
  await succeed(subgraph, await administrator(), CONNECT, { clientId, directoryId, clientSecret: secret });
}

export async function save(input: object): Promise<void> {
  await succeed(subgraph, await administrator(), UPDATE_SETTINGS, input);
}

/** What the report tells an administrator to do after an import. */
export async function takeUp(): Promise<void> {
  await connect(ACME);
  await save({ organizerUserPrincipalName: ACME.organizer });
  await save({ installStatus: 'ACTIVE' });
  await subgraph.runJobs();
}

/** Runs an operation on a meeting as the tenant's administrator. */
export async function operate(
  name:
    | 'updateTeamsMeetingAttendees'
    | 'rescheduleTeamsMeeting'
    | 'cancelTeamsMeeting'
    | 'createTeamsMeeting'
    | 'retryTeamsMeeting',
  input: object,
) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const operation = `mutation ($input: ${type}!) { ${name}(input: $input) { meeting { id status joinUrl } userErrors { code message } } }`;
  return mutate<{
    meeting: { id: string; status: string; joinUrl: string | null } | null;
    userErrors: Pick<UserErrorAnswer, 'code' | 'message'>[];
  }>(subgraph, await administrator(), operation, input);
}
