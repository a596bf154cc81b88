import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { CancelMeetingInput, RescheduleMeetingInput } from '../../../src/services/meetings/operations.ts';
import type { TestSubgraph } from '../../support/subgraph.ts';

/** A secret of Standard Webhooks that nobody else has. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

let sequence = 0;
export function newEventId(): string {
  sequence += 1;
  return `msg_${sequence}`;
}

export const RESCHEDULED = {
  type: 'appointment.rescheduled',
  timestamp: '2026-11-03T09:00:00Z',
  data: {
    tenantId: 'tenant-a',
    appointmentId: 'appt-1',
    startsAt: '2036-12-02T10:00:00Z',
    endsAt: '2036-12-02T11:00:00Z',
  },
};

export const CANCELLED = {
  type: 'appointment.cancelled',
  timestamp: '2026-11-03T09:00:00Z',
  data: { tenantId: 'tenant-a', appointmentId: 'appt-1' },
};

/** An event like another one, with other values in its `data`. */
export function withData<Event extends { data: object }>(event: Event, data: object, over: object = {}): object {
  return { ...event, ...over, data: { ...event.data, ...data } };
}

/** The headers by which the PSA signs a body. */
export function signed(
  secret: string,
  body: string,
  { id = newEventId(), at = new Date() }: { id?: string; at?: Date } = {},
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  };
}

export interface PsaAnswer {
  status: number;
  body: { status?: string; error?: string };
}

/** Sends bytes to the subgraph as they are. */
export async function post(
  subgraph: TestSubgraph,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
): Promise<PsaAnswer> {
  const response = await fetch(`${subgraph.url}/webhooks/psa`, { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as PsaAnswer['body'] };
}

/** Sends an event as the PSA does. */
export function send(subgraph: TestSubgraph, secret: string, event: unknown, id?: string): Promise<PsaAnswer> {
  const body = JSON.stringify(event);
  return post(subgraph, body, signed(secret, body, id === undefined ? {} : { id }));
}

export interface StoredEvent {
  tenant_id: string;
  id: string;
  type: string;
  subject_id: string;
  data: Record<string, unknown>;
  occurred_at: Date;
  applied_at: Date | null;
  outcome: string | null;
}

export function storedEvents(subgraph: TestSubgraph): Promise<StoredEvent[]> {
  return subgraph.database.query<StoredEvent>('SELECT * FROM psa_events ORDER BY received_at, id');
}

/** What an operation was asked for, and by whom. */
export type OperationCall = { tenantId: string; viewer: string } & (
  | ({ operation: 'reschedule' } & RescheduleMeetingInput)
  | ({ operation: 'cancel' } & CancelMeetingInput)
);
