import { setTimeout } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { ChaosTenant, Replica } from './world.ts';

export type OperationKind = 'create' | 'reschedule' | 'attendees' | 'cancel' | 'retry';

/** What a client asked for and was told. Its answer was given somewhere between `began` and `ended`. */
export interface Performed {
  kind: OperationKind;
  tenantId: string;
  appointmentId: string;
  /** The meeting that was asked about or made. */
  meetingId: string | null;
  began: number;
  ended: number;
  accepted: boolean;
  /** Codes of user errors; empty when it was accepted. */
  refusals: string[];
  wish: { subject?: string; startsAt?: string; endsAt?: string; attendees?: string[] };
  joinUrl: string | null;
  /** How often it had to be sent until an answer came. */
  sent: number;
}

interface Answer {
  meeting: { id: string; subject: string; joinUrl: string | null } | null;
  userErrors: { code: string }[];
}

const INPUTS: Record<OperationKind, string> = {
  create: 'createTeamsMeeting(input: $input)',
  reschedule: 'rescheduleTeamsMeeting(input: $input)',
  attendees: 'updateTeamsMeetingAttendees(input: $input)',
  cancel: 'cancelTeamsMeeting(input: $input)',
  retry: 'retryTeamsMeeting(input: $input)',
};
const TYPES: Record<OperationKind, string> = {
  create: 'CreateTeamsMeetingInput!',
  reschedule: 'RescheduleTeamsMeetingInput!',
  attendees: 'UpdateTeamsMeetingAttendeesInput!',
  cancel: 'CancelTeamsMeetingInput!',
  retry: 'RetryTeamsMeetingInput!',
};

async function post<Data>(url: string, token: string, query: string, variables: object): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(30_000),
  });
  const body = (await response.json()) as { data?: Data; errors?: { message: string }[] };
  if (!body.data || body.errors) throw new Error(JSON.stringify(body.errors ?? body));
  return body.data;
}

/** Sends until an answer comes: to either process, as a frontend behind a load balancer does. */
export async function insist<Data>(
  replicas: readonly Replica[],
  random: Random,
  token: string,
  query: string,
  variables: object,
): Promise<{ data: Data; sent: number }> {
  for (let sent = 1; ; sent += 1) {
    try {
      return { data: await post<Data>(random.pick(replicas).url, token, query, variables), sent };
    } catch (error) {
      if (sent >= 200) throw error;
      await setTimeout(100 + random.below(300));
    }
  }
}

export interface Client {
  perform(): Promise<Performed>;
}

const PEOPLE = ['ann', 'bob', 'cid', 'dee', 'eve', 'fay'].map((name) => `${name}@client.example`);
const FIRST_START = Date.UTC(2036, 0, 1);

/** A client that does one random thing after the other to the appointments of all tenants. */
export function createClient(
  replicas: readonly Replica[],
  tenants: readonly ChaosTenant[],
  appointmentsPerTenant: number,
  random: Random,
  nextNumber: () => number,
): Client {
  function someTimes(number: number) {
    const start = FIRST_START + number * 3_600_000;
    return { startsAt: new Date(start).toISOString(), endsAt: new Date(start + 1_800_000).toISOString() };
  }

  function somePeople(): string[] {
    return PEOPLE.filter(() => random.next() < 0.4);
  }

  async function currentMeeting(tenant: ChaosTenant, appointmentId: string): Promise<string | null> {
    const { data } = await insist<{ _entities: { teamsMeeting: { id: string; status: string } | null }[] }>(
      replicas,
      random,
      tenant.technician,
      'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Appointment { teamsMeeting { id status } } } }',
      { r: [{ __typename: 'Appointment', id: appointmentId }] },
    );
    const meeting = data._entities[0]?.teamsMeeting;
    return meeting && !meeting.status.startsWith('CANCEL') ? meeting.id : null;
  }

  function wishFor(kind: OperationKind, number: number): Performed['wish'] {
    if (kind === 'create') return { subject: `meeting ${number}`, ...someTimes(number), attendees: somePeople() };
    if (kind === 'reschedule') return { subject: `meeting ${number}`, ...someTimes(number) };
    return kind === 'attendees' ? { attendees: somePeople() } : {};
  }

  function kindFor(hasMeeting: boolean): OperationKind {
    const chance = random.next();
    if (!hasMeeting || chance < 0.1) return 'create';
    if (chance < 0.5) return 'reschedule';
    if (chance < 0.75) return 'attendees';
    return chance < 0.95 ? 'cancel' : 'retry';
  }

  return {
    async perform() {
      const tenant = random.pick(tenants);
      const appointmentId = `${tenant.id}-appointment-${random.below(appointmentsPerTenant)}`;
      const current = await currentMeeting(tenant, appointmentId);
      const kind = kindFor(current !== null);
      const number = nextNumber();
      const wish = wishFor(kind, number);
      const attendees = wish.attendees?.map((emailAddress) => ({ emailAddress }));
      const input = {
        ...(kind === 'create' ? { appointmentId, idempotencyKey: `key-${number}` } : { meetingId: current }),
        ...wish,
        ...(attendees === undefined ? {} : { attendees }),
      };
      const query = `mutation ($input: ${TYPES[kind]}) { answer: ${INPUTS[kind]} { meeting { id subject joinUrl } userErrors { code } } }`;
      const began = performance.now();
      const { data, sent } = await insist<{ answer: Answer }>(replicas, random, tenant.technician, query, { input });
      const { meeting, userErrors } = data.answer;
      return {
        kind,
        tenantId: tenant.id,
        appointmentId,
        meetingId: meeting?.id ?? null,
        began,
        ended: performance.now(),
        accepted: userErrors.length === 0,
        refusals: userErrors.map(({ code }) => code),
        wish,
        joinUrl: meeting?.joinUrl ?? null,
        sent,
      };
    },
  };
}
