import { seeded } from '../support/random.ts';

/** What is asked, of every server in the same words. */
export interface Workload {
  name: string;
  title: string;
  /** How many appointments one request names. */
  entities: number;
  query: string;
  /** Asked of a gateway, which asks the server. */
  isThroughGateway?: boolean;
  /** Servers that do not answer it within a turn. */
  without?: readonly string[];
  /** Which tenants ask. */
  tenants: readonly string[];
}

/** The four that hold 5,000 meetings each. */
export const LARGE_TENANTS = ['tenant-0', 'tenant-1', 'tenant-2', 'tenant-3'] as const;
export const MEETINGS_OF_LARGE = 5_000;
/** Besides them, small ones, so that there are 200 in all. */
export const SMALL_TENANTS: readonly string[] = Array.from({ length: 196 }, (_, n) => `tenant-${n + 4}`);
export const MEETINGS_OF_SMALL = 50;

const PHONE =
  'query Phone($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { teamsMeeting { joinUrl } } } }';

const ON_BOARD = `id teamsMeeting {
  id status subject startsAt endsAt joinUrl
  attendees { emailAddress name kind response }
  recordings { id createdAt endedAt contentType storage }
  transcripts { id createdAt endedAt isSpeakerAttributed }
}`;

const BOARD = `query Board($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { ${ON_BOARD} } } }`;
const BOARD_OF_GATEWAY = `query Board($ids: [ID!]!) { appointments(ids: $ids) { ${ON_BOARD} } }`;

export const WORKLOADS: readonly Workload[] = [
  { name: 'W1', title: 'one appointment: its join link', entities: 1, query: PHONE, tenants: LARGE_TENANTS },
  { name: 'W2', title: 'a board of 50 appointments', entities: 50, query: BOARD, tenants: LARGE_TENANTS },
  {
    name: 'W3',
    title: 'a board of 500 appointments',
    entities: 500,
    query: BOARD,
    without: ['apollo-template'],
    tenants: LARGE_TENANTS,
  },
  {
    name: 'W4',
    title: '50 appointments of any of 200 tenants',
    entities: 50,
    query: BOARD,
    tenants: [...LARGE_TENANTS, ...SMALL_TENANTS],
  },
  {
    name: 'W5',
    title: 'the board of 50 through the gateway',
    entities: 50,
    query: BOARD_OF_GATEWAY,
    isThroughGateway: true,
    tenants: LARGE_TENANTS,
  },
];

export interface PreparedRequest {
  tenant: string;
  body: string;
}

/** Requests of a workload, the same in every run: neighbours in time, as a board shows them. */
export function requestsOf(workload: Workload, count: number): PreparedRequest[] {
  const random = seeded(workload.entities);
  return Array.from({ length: count }, () => {
    const tenant = workload.tenants[Math.floor(random() * workload.tenants.length)] ?? '';
    const isLarge = (LARGE_TENANTS as readonly string[]).includes(tenant);
    const meetings = isLarge ? MEETINGS_OF_LARGE : MEETINGS_OF_SMALL;
    const from = Math.floor(random() * Math.max(1, meetings - workload.entities));
    const ids = Array.from({ length: workload.entities }, (_, n) => `appointment-${(from + n) % meetings}`);
    const r = ids.map((id) => ({ __typename: 'Appointment', id }));
    const variables = workload.isThroughGateway ? { ids } : { r };
    return { tenant, body: JSON.stringify({ query: workload.query, variables }) };
  });
}
