import { selfSignedCertificate } from '../../unit/graph/certificate.ts';
import { CONNECT, succeed } from '../setup.ts';
import type { TestSubgraph } from '../subgraph.ts';
import { always, BROKEN, type BrokenTenant, changeApp } from './broken-tenant.ts';

const TOKEN_ENDPOINT = '/oauth2/v2.0/token';
const DAY_MS = 24 * 3_600_000;

const ROLES = [
  'Calendars.ReadWrite',
  'OnlineMeetings.ReadWrite.All',
  'OnlineMeetingRecording.Read.All',
  'OnlineMeetingTranscript.Read.All',
  'User.Read.All',
];

const without = (role: string) => changeApp({ roles: ROLES.filter((one) => one !== role) });

/** Connects the same app with a certificate that ends then; Microsoft knows it. */
async function connectCertificate(subgraph: TestSubgraph, endsAt: Date): Promise<void> {
  const notAfter = `${endsAt.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`;
  const certificate = selfSignedCertificate({ notAfter });
  const { directoryId, clientId } = BROKEN;
  await subgraph.simulator.updateApp(directoryId, clientId, { certificates: [certificate.certificatePem] });
  const token = await subgraph.tokens.token('admin', { tenant_id: 'tenant-a' });
  await succeed(subgraph, token, CONNECT, { clientId, directoryId, ...certificate });
}

/** Connects with the client secret again, as every other case expects it. */
export async function connectSecret(subgraph: TestSubgraph): Promise<void> {
  const { directoryId, clientId, secret } = BROKEN;
  const token = await subgraph.tokens.token('admin', { tenant_id: 'tenant-a' });
  await succeed(subgraph, token, CONNECT, { clientId, directoryId, clientSecret: secret });
}

const entraBody = (error: string, number: number) => ({
  error,
  error_description: `AADSTS${number}: … Trace ID: 1 Correlation ID: 2 Timestamp: 2026-11-24 10:00:00Z`,
  error_codes: [number],
});

/** What is wrong with the directory, the app or its credential. */
export const BROKEN_CREDENTIALS: BrokenTenant[] = [
  {
    name: 'a directory that does not exist (AADSTS90002)',
    break: ({ simulator }) => simulator.deleteDirectory(BROKEN.directoryId),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['directory'],
    warning: [],
    detail: /does not know this directory/,
    remedy: /Directory \(tenant\) ID/,
  },
  {
    name: 'an app that the directory does not know (AADSTS700016)',
    break: ({ simulator }) => simulator.deleteApp(BROKEN.directoryId, BROKEN.clientId),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['app'],
    warning: [],
    detail: /does not know this app/,
    remedy: /Application \(client\) ID/,
  },
  {
    name: 'a disabled app (AADSTS7000112)',
    break: changeApp({ disabled: true }),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['app'],
    warning: [],
    detail: /disabled in this directory/,
    remedy: /Enabled for users to sign-in/,
  },
  {
    name: 'a client secret that was replaced (AADSTS7000215)',
    break: changeApp({ secrets: [{ value: 'another one' }] }),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['secret'],
    warning: [],
    detail: /none of the secrets/,
    remedy: /copy its value \(not its id\)/,
  },
  {
    name: 'a client secret that has expired (AADSTS7000222)',
    break: changeApp({ secrets: [{ value: BROKEN.secret, expiresAt: '2020-01-01T00:00:00Z' }] }),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['secret'],
    warning: [],
    detail: /has expired/,
    remedy: /create a new client secret/,
  },
  {
    name: 'a certificate that was removed from the app (AADSTS700027)',
    async break(subgraph) {
      await connectCertificate(subgraph, new Date(Date.now() + 300 * DAY_MS));
      await subgraph.simulator.updateApp(BROKEN.directoryId, BROKEN.clientId, { certificates: [] });
    },
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['secret'],
    warning: [],
    detail: /certificate.*not registered/,
    remedy: /upload the certificate/,
  },
  {
    name: 'a certificate that ends within 30 days',
    break: (subgraph) => connectCertificate(subgraph, new Date(Date.now() + 20.5 * DAY_MS)),
    outcome: 'VERIFIED',
    failing: [],
    warning: ['secret'],
    detail: /expires on .*in 20 days/,
    remedy: /add a new certificate or client secret/,
  },
  {
    name: 'Entra being unavailable (AADSTS90033)',
    break: always({ match: { path: TOKEN_ENDPOINT }, status: 503, body: entraBody('temporarily_unavailable', 90033) }),
    outcome: 'GRAPH_ERROR',
    failing: ['directory'],
    warning: [],
    detail: /temporary error/,
    remedy: /Try again/,
  },
  {
    name: 'Entra asking to wait',
    break: always({ match: { path: TOKEN_ENDPOINT }, status: 429 }),
    outcome: 'GRAPH_ERROR',
    failing: ['directory'],
    warning: [],
    detail: /limiting how often/,
    remedy: /Wait/,
  },
];

/** What is wrong with the permissions in the token. */
export const BROKEN_PERMISSIONS: BrokenTenant[] = [
  ...[
    'OnlineMeetings.ReadWrite.All',
    'OnlineMeetingRecording.Read.All',
    'OnlineMeetingTranscript.Read.All',
    'User.Read.All',
  ].map(
    (role): BrokenTenant => ({
      name: `${role} not being granted`,
      break: without(role),
      outcome: 'PERMISSION_MISSING',
      failing: ['roles'],
      warning: [],
      detail: new RegExp(`lacks: ${role.replaceAll('.', '\\.')} \\(for [^,]+\\)\\.`),
      remedy: new RegExp(`add ${role.replaceAll('.', '\\.')} as .*admin consent`),
    }),
  ),
  {
    name: 'Calendars.ReadWrite being granted neither in Entra nor in Exchange',
    break: without('Calendars.ReadWrite'),
    outcome: 'PERMISSION_MISSING',
    failing: ['exchange-scope'],
    warning: ['roles'],
    detail: /neither in the token nor granted by Exchange/,
    remedy: /RBAC for Applications.*admin consent/,
  },
  {
    name: 'no admin consent at all: a token without roles',
    break: changeApp({ roles: [] }),
    outcome: 'PERMISSION_MISSING',
    failing: ['roles'],
    warning: [],
    detail: /Calendars\.ReadWrite.*OnlineMeetings\.ReadWrite\.All.*User\.Read\.All/,
    remedy: /grant admin consent/,
  },
  {
    name: 'more permissions than are used',
    break: changeApp({ roles: [...ROLES, 'Mail.ReadWrite', 'Directory.ReadWrite.All'] }),
    outcome: 'VERIFIED',
    failing: [],
    warning: ['roles'],
    detail: /does not use: Directory\.ReadWrite\.All, Mail\.ReadWrite/,
    remedy: /Remove the permissions that are not used/,
  },
  {
    name: 'Graph accepting no token (InvalidAuthenticationToken)',
    break: always({ match: { path: '^/v1.0/' }, status: 401 }),
    outcome: 'CREDENTIALS_REJECTED',
    failing: ['organizer'],
    warning: [],
    detail: /did not accept the access token/,
    remedy: /enabled in this directory/,
  },
];
