import { createMeeting } from '../setup.ts';
import type { TestSubgraph } from '../subgraph.ts';
import {
  addressOfOthers,
  always,
  BROKEN,
  type BrokenTenant,
  changeDirectory,
  changeOrganizer,
  graphBody,
} from './broken-tenant.ts';

const BY_LINK = '/onlineMeetings\\?';
const MISSING_POLICY = {
  outcome: 'POLICY_MISSING',
  warning: [],
  detail: /No Teams application access policy.*up to 30 minutes/,
  remedy: /New-CsApplicationAccessPolicy.*Grant-CsApplicationAccessPolicy/,
};

/** What is wrong with the Teams application access policy. */
export const BROKEN_POLICIES: BrokenTenant[] = [
  {
    name: 'no Teams policy for the organizer',
    break: changeOrganizer({ teamsPolicyAppIds: [] }),
    failing: ['policy'],
    ...MISSING_POLICY,
  },
  {
    name: 'a policy of the organizer that lists another app and hides the global one',
    async break(subgraph) {
      await changeDirectory({ globalTeamsPolicyAppIds: [BROKEN.clientId] })(subgraph);
      await changeOrganizer({ teamsPolicyAppIds: ['cccccccc-0000-4000-8000-000000000001'] })(subgraph);
    },
    failing: ['policy'],
    ...MISSING_POLICY,
  },
  {
    name: 'a policy of another user (3003)',
    break: always({
      match: { path: BY_LINK },
      status: 403,
      body: graphBody('Forbidden', '3003: User does not have access to lookup meeting'),
    }),
    failing: ['policy'],
    ...MISSING_POLICY,
  },
  {
    name: 'a missing policy in Microsoft’s older words',
    break: always({
      match: { path: '/onlineMeetings' },
      status: 403,
      body: graphBody(
        'Unauthorized',
        `App is not authorized to Create meeting on behalf of user ${BROKEN.organizerId}`,
      ),
    }),
    failing: ['policy'],
    ...MISSING_POLICY,
  },
  {
    name: 'a policy that counts for meetings and not for what was recorded (RSC permission evaluation)',
    break: always({
      match: { path: 'getAll(Recordings|Transcripts)' },
      status: 403,
      body: graphBody(
        'Forbidden',
        `Application is not allowed to perform operations on the user '${BROKEN.organizerId}', neither is allowed access through RSC permission evaluation.`,
      ),
    }),
    ...MISSING_POLICY,
    failing: ['recordings'],
    detail: /No Teams application access policy/,
  },
  {
    name: 'Teams refusing without a reason (Forbidden, “An error has occurred.”)',
    break: always({
      match: { path: '/onlineMeetings' },
      status: 403,
      body: graphBody('Forbidden', 'An error has occurred.'),
    }),
    outcome: 'PERMISSION_MISSING',
    failing: ['policy'],
    warning: [],
    detail: /although the permission is in the token/,
    remedy: /wait, then run the verification/,
  },
];

/** A meeting of this hour that was recorded and transcribed. */
async function meetingOfToday(subgraph: TestSubgraph): Promise<void> {
  const token = await subgraph.tokens.token('admin', { tenant_id: 'tenant-a' });
  const { joinUrl } = await createMeeting(subgraph, token);
  const startedAt = new Date(Date.now() - 3_600_000).toISOString();
  const call = { startedAt, durationSeconds: 60 };
  await subgraph.simulator.meetingTookPlace({ directoryId: BROKEN.directoryId, joinUrl: joinUrl ?? '', ...call });
}

/** What the directory's switches keep from apps. */
export const BROKEN_SWITCHES: BrokenTenant[] = [
  {
    name: 'transcripts switched off for apps (GraphAccessToTranscriptsDisabled)',
    break: changeDirectory({ graphTranscriptAccess: false }),
    outcome: 'PERMISSION_MISSING',
    failing: ['transcript-access'],
    warning: [],
    detail: /does not let apps read meeting transcripts/,
    remedy: /Set-CsTeamsMeetingConfiguration -Identity Global -EnableGraphTranscriptAccess \$true/,
  },
  {
    name: 'names of speakers switched off for apps (SpeakerAttributionNotAllowed)',
    async break(subgraph) {
      await meetingOfToday(subgraph);
      await changeDirectory({ attributedTranscripts: false })(subgraph);
    },
    outcome: 'VERIFIED',
    failing: [],
    warning: ['transcript-attribution'],
    detail: /without the names of the speakers/,
    remedy: /Set-CsTeamsMeetingConfiguration -Identity Global -EnableAttributedTranscripts \$true/,
  },
];

/** Other software with the same app subscribes to the organizer's recordings. */
async function othersSubscribe(subgraph: TestSubgraph): Promise<void> {
  const { simulatorUrl } = subgraph;
  const form = {
    grant_type: 'client_credentials',
    client_id: BROKEN.clientId,
    client_secret: BROKEN.secret,
    scope: 'https://graph.microsoft.com/.default',
  };
  const tokenUrl = `${simulatorUrl}/${BROKEN.directoryId}/oauth2/v2.0/token`;
  const answer = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const created = await fetch(`${simulatorUrl}/v1.0/subscriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      changeType: 'created',
      resource: `users/${BROKEN.organizerId}/onlineMeetings/getAllRecordings`,
      notificationUrl: addressOfOthers(subgraph),
      expirationDateTime: new Date(Date.now() + 50 * 60_000).toISOString(),
      clientState: 'theirs',
    }),
  });
  if (created.status !== 201) throw new Error(`the other software's subscription: ${await created.text()}`);
}

/** Microsoft loses what the tenant has subscribed to. */
async function loseSubscriptions({ simulator }: TestSubgraph): Promise<void> {
  for (const { id } of await simulator.listSubscriptions(BROKEN.directoryId)) await simulator.loseSubscription(id);
}

/** What keeps notifications away. Nothing of it hinders meetings. */
export const BROKEN_WEBHOOKS: BrokenTenant[] = [
  {
    name: 'a public address that Microsoft cannot reach',
    break: ({ simulator }) => simulator.setSubscriptionBehaviour({ reachesAddresses: false }),
    outcome: 'VERIFIED',
    failing: [],
    warning: ['webhook'],
    detail: /could not reach the address/,
    remedy: /PUBLIC_URL by https from the internet/,
  },
  {
    name: 'a directory with as many subscriptions as it may have',
    async break(subgraph) {
      await loseSubscriptions(subgraph);
      await subgraph.simulator.setSubscriptionBehaviour({ quota: 0 });
    },
    outcome: 'VERIFIED',
    failing: [],
    warning: ['webhook'],
    detail: /as many change notification subscriptions/,
    remedy: /Remove subscriptions of apps/,
  },
  {
    name: 'other software that is subscribed with the same app',
    async break(subgraph) {
      await loseSubscriptions(subgraph);
      await othersSubscribe(subgraph);
    },
    outcome: 'VERIFIED',
    failing: [],
    warning: ['webhook'],
    detail: /Another subscription of this app/,
    remedy: /give each its own/,
  },
];
