import type { TestSubgraph } from './subgraph.ts';

/** What operations are sent with: a test's own subgraph, or one that runs as a process. */
type Asked = Pick<TestSubgraph, 'send' | 'tokens'>;

/** What the simulator's demo world holds for each tenant. */
export const MICROSOFT = {
  'tenant-a': {
    directoryId: '11111111-1111-4111-8111-111111111111',
    clientId: 'aaaaaaaa-0000-4000-8000-000000000001',
    secret: 'simulator-secret-tenant-a',
    organizer: 'scheduling@acme.example',
    organizerId: 'aaaaaaaa-0000-4000-8000-00000000000a',
  },
  'tenant-b': {
    directoryId: '22222222-2222-4222-8222-222222222222',
    clientId: 'bbbbbbbb-0000-4000-8000-000000000001',
    secret: 'simulator-secret-tenant-b',
    organizer: 'meetings@globex.example',
    organizerId: 'bbbbbbbb-0000-4000-8000-00000000000b',
  },
} as const;

export type TestTenant = keyof typeof MICROSOFT;

export interface UserErrorAnswer {
  code: string;
  message: string;
  path: string[] | null;
  remedy: string | null;
}

const USER_ERRORS = 'userErrors { code message path remedy }';

export const CONNECT = `mutation ($input: ConnectMicrosoftAppInput!) { connectMicrosoftApp(input: $input) { settings { installStatus microsoftApp { clientId directoryId cloud credentialKind credentialHint credentialExpiresAt } organizer { userPrincipalName objectId } } ${USER_ERRORS} } }`;
export const UPDATE_SETTINGS = `mutation ($input: UpdateTeamsSettingsInput!) { updateTeamsSettings(input: $input) { settings { installStatus organizer { userPrincipalName objectId displayName } sendMeetingInvites showArtifactsInClientPortal artifactRetentionDays meetingDefaults { recordAutomatically lobbyBypass allowedPresenters } } ${USER_ERRORS} } }`;
export const CREATE = `mutation ($input: CreateTeamsMeetingInput!) { createTeamsMeeting(input: $input) { meeting { id status subject joinUrl startsAt endsAt attendees { emailAddress kind } failure { code remedy } } ${USER_ERRORS} } }`;
export const REFRESH = `mutation ($input: RefreshTeamsMeetingArtifactsInput!) { refreshTeamsMeetingArtifacts(input: $input) { newRecordings newTranscripts meeting { id recordings { id contentUrl } transcripts { id text vttUrl } artifactCapture { state attempts failure { code } } } ${USER_ERRORS} } }`;

/** Runs a mutation and returns its payload; a GraphQL error fails the test with all that was said. */
export async function mutate<Payload>(
  subgraph: Asked,
  token: string,
  operation: string,
  input: object,
): Promise<Payload> {
  const { data, errors } = await subgraph.send<Record<string, Payload>>(token, operation, { input });
  const payload = Object.values(data ?? {})[0];
  if (errors.length > 0 || !payload) throw new Error(`${operation}\n${JSON.stringify(errors, null, 2)}`);
  return payload;
}

/** The same, for a mutation that must not have user errors. */
export async function succeed<Payload extends { userErrors: UserErrorAnswer[] }>(
  subgraph: Asked,
  token: string,
  operation: string,
  input: object,
): Promise<Payload> {
  const payload = await mutate<Payload>(subgraph, token, operation, input);
  if (payload.userErrors.length > 0) throw new Error(`${operation}\n${JSON.stringify(payload.userErrors, null, 2)}`);
  return payload;
}

/** Sets a tenant up through the public API, as an admin does: app, organizer, activation. */
export async function activate(
  subgraph: Asked,
  tenant: TestTenant = 'tenant-a',
  settings: object = {},
): Promise<string> {
  const { clientId, directoryId, secret, organizer } = MICROSOFT[tenant];
  const token = await subgraph.tokens.token('admin', { tenant_id: tenant });
  await succeed(subgraph, token, CONNECT, { clientId, directoryId, clientSecret: secret });
  await succeed(subgraph, token, UPDATE_SETTINGS, { organizerUserPrincipalName: organizer, ...settings });
  await succeed(subgraph, token, UPDATE_SETTINGS, { installStatus: 'ACTIVE' });
  return token;
}

export interface CreatedMeeting {
  id: string;
  status: string;
  subject: string;
  joinUrl: string | null;
  startsAt: string;
  endsAt: string;
  attendees: { emailAddress: string; kind: string }[];
  failure: { code: string; remedy: string | null } | null;
}

/** An input that is good as it is, and far in the future; `over` replaces parts of it. */
export function meetingInput(over: object = {}): Record<string, unknown> {
  return {
    appointmentId: 'appt-a-1',
    subject: 'Quarterly review',
    startsAt: '2036-12-01T10:00:00Z',
    endsAt: '2036-12-01T11:00:00Z',
    clientId: 'client-acme',
    attendees: [{ emailAddress: 'jane@acme.example', name: 'Jane', contactId: 'contact-jane' }],
    ...over,
  };
}

/** Creates a meeting that must succeed. */
export async function createMeeting(subgraph: Asked, token: string, over: object = {}): Promise<CreatedMeeting> {
  const { meeting } = await succeed<{ meeting: CreatedMeeting; userErrors: UserErrorAnswer[] }>(
    subgraph,
    token,
    CREATE,
    meetingInput(over),
  );
  return meeting;
}

/** Lets a meeting take place in the simulator and fetches what Microsoft made of it. */
export async function captureMeeting(
  subgraph: Asked & Pick<TestSubgraph, 'simulator'>,
  token: string,
  meeting: CreatedMeeting,
  tenant: TestTenant = 'tenant-a',
): Promise<void> {
  await subgraph.simulator.meetingTookPlace({
    directoryId: MICROSOFT[tenant].directoryId,
    joinUrl: meeting.joinUrl ?? '',
  });
  await succeed(subgraph, token, REFRESH, { meetingId: meeting.id });
}
