import { z } from 'zod';

/** What an event wants done with the meeting of its appointment or interaction. */
export type PsaWish =
  | { kind: 'reschedule'; startsAt: Date; endsAt: Date; subject: string | undefined }
  | { kind: 'cancel'; comment: string | undefined };

/** An event of the PSA that has been checked. */
export interface PsaEvent {
  type: string;
  tenantId: string;
  /** Of what the event tells, and its id. */
  owner: { field: 'appointmentId' | 'interactionId'; id: string };
  occurredAt: Date;
  wish: PsaWish;
  /** Its `data` as it is stored: the known fields and nothing else that was sent. */
  data: Record<string, string>;
}

export type ReadPsaEvent =
  | { kind: 'event'; event: PsaEvent }
  /** Of a type that is not known here, perhaps of a newer PSA. */
  | { kind: 'ignored' }
  /** `reason` is a sentence for the PSA's developer; it holds nothing of what was sent. */
  | { kind: 'malformed'; reason: string };

const MAX_ID = 255;
const MAX_SUBJECT = 255;
const MAX_COMMENT = 2_000;

/** Neither Postgres nor jsonb stores a NUL or half of a surrogate pair. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

const text = (max: number) => {
  const message = `must be a text of at most ${max} characters without NUL`;
  return z.string({ error: message }).max(max, message).refine(isStorable, message);
};

const id = (() => {
  const message = `must be a text of 1 to ${MAX_ID} characters without NUL`;
  return z.string({ error: message }).min(1, message).max(MAX_ID, message).refine(isStorable, message);
})();

const RFC_3339 = 'must be a date and time of RFC 3339 with an offset, such as 2026-11-03T09:30:00Z';

/** Years that Postgres, JavaScript and Microsoft all know; zod's own check knows the length of every month. */
const time = z.iso
  .datetime({ offset: true, error: RFC_3339 })
  .refine((written) => /T\d\d:\d\d:\d\d/.test(written), RFC_3339)
  .transform((written) => new Date(written))
  .refine((date) => date.getUTCFullYear() >= 1900 && date.getUTCFullYear() < 9000, RFC_3339);

// Control characters would end up in mail headers and calendar files. An appointment without a title changes none.
const subject = text(MAX_SUBJECT)
  .transform((written) => written.replace(/\p{Cc}+/gu, ' ').trim() || undefined)
  .nullish()
  .transform((written) => written ?? undefined);

const comment = text(MAX_COMMENT)
  .nullish()
  .transform((written) => written?.trim() || undefined);

/** What the `data` of an event tells. */
type Told = Pick<PsaEvent, 'tenantId' | 'owner' | 'wish'>;

const AN_OBJECT = { error: 'must be an object' };
const times = { startsAt: time, endsAt: time, subject };
const inOrder = (data: { startsAt: Date; endsAt: Date }) => data.endsAt > data.startsAt;
const OUT_OF_ORDER = { path: ['endsAt'], message: 'must be after startsAt' };

const appointmentRescheduled = z
  .object({ tenantId: id, appointmentId: id, ...times }, AN_OBJECT)
  .refine(inOrder, OUT_OF_ORDER)
  .transform(
    ({ tenantId, appointmentId, ...wish }): Told => ({
      tenantId,
      owner: { field: 'appointmentId', id: appointmentId },
      wish: { kind: 'reschedule', ...wish },
    }),
  );

const interactionUpdated = z
  .object({ tenantId: id, interactionId: id, ...times }, AN_OBJECT)
  .refine(inOrder, OUT_OF_ORDER)
  .transform(
    ({ tenantId, interactionId, ...wish }): Told => ({
      tenantId,
      owner: { field: 'interactionId', id: interactionId },
      wish: { kind: 'reschedule', ...wish },
    }),
  );

const appointmentGone = z.object({ tenantId: id, appointmentId: id, comment }, AN_OBJECT).transform(
  ({ tenantId, appointmentId, ...wish }): Told => ({
    tenantId,
    owner: { field: 'appointmentId', id: appointmentId },
    wish: { kind: 'cancel', ...wish },
  }),
);

const interactionGone = z.object({ tenantId: id, interactionId: id, comment }, AN_OBJECT).transform(
  ({ tenantId, interactionId, ...wish }): Told => ({
    tenantId,
    owner: { field: 'interactionId', id: interactionId },
    wish: { kind: 'cancel', ...wish },
  }),
);

/** A map, so that a type such as `constructor` is unknown like any other. */
const KNOWN_TYPES = new Map<string, z.ZodType<Told>>([
  ['appointment.rescheduled', appointmentRescheduled],
  ['appointment.cancelled', appointmentGone],
  ['appointment.deleted', appointmentGone],
  ['interaction.updated', interactionUpdated],
  ['interaction.deleted', interactionGone],
]);

const frame = z.object({ type: z.string({ error: 'must be a text' }) }, { error: 'The body must be a JSON object.' });

function reasonOf(error: z.ZodError): string {
  const [issue] = error.issues;
  // The path is one of our own schema: what was sent beside it is not looked at.
  return issue === undefined || issue.path.length === 0
    ? (issue?.message ?? 'The body is not an event.')
    : `${issue.path.join('.')} ${issue.message}.`;
}

function storedData({ tenantId, owner, wish }: Told): Record<string, string> {
  const { kind: _kind, ...values } = wish;
  const data: Record<string, string> = { tenantId, [owner.field]: owner.id };
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) data[name] = value instanceof Date ? value.toISOString() : value;
  }
  return data;
}

/** Reads an event in the frame of Standard Webhooks. Unknown fields are left out, not refused. */
export function readPsaEvent(body: unknown): ReadPsaEvent {
  const framed = frame.safeParse(body);
  if (!framed.success) return { kind: 'malformed', reason: reasonOf(framed.error) };
  const { type } = framed.data;
  const told = KNOWN_TYPES.get(type);
  if (told === undefined) return { kind: 'ignored' };
  const parsed = z.object({ timestamp: time, data: told }).safeParse(body);
  if (!parsed.success) return { kind: 'malformed', reason: reasonOf(parsed.error) };
  const { timestamp, data } = parsed.data;
  return { kind: 'event', event: { type, occurredAt: timestamp, ...data, data: storedData(data) } };
}
