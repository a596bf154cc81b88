import { readFileSync } from 'node:fs';
import { type GraphQLField, type GraphQLSchema, getNamedType, isLeafType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSchema } from '../../../src/server/apollo.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';

/** A board is read by a statement of its own that reads no more than is asked; every field must be as elsewhere. */
const schema: GraphQLSchema = buildSchema(readFileSync('schema.graphql', 'utf8'));
let subgraph: TestSubgraph;
let token: string;
const ID = '01a00000-0000-7000-8000-000000000001';

beforeAll(async () => {
  subgraph = await startTestSubgraph();
  token = await subgraph.tokens.token('technician');
  const { query } = subgraph.database;
  await query(
    `INSERT INTO online_meetings (tenant_id, id, appointment_id, client_id, contact_id, status, subject, description, starts_at, ends_at,
       time_zone, join_url, graph_event_id, graph_online_meeting_id, organizer_upn, organizer_object_id, organizer_display_name, transaction_id, input_hash,
       failure, cancel_reason, defaults_failure, defaults_next_at, capture_state, capture_attempts, capture_last_attempt_at, capture_failure, capture_next_at,
       created_by, created_at, updated_at)
     VALUES ('tenant-a', $1::uuid, 'appointment-1', 'client-acme', 'contact-1', 'FAILED', 'A “subject” \\ with \u{1F4C5}', 'Text', '2026-11-01T10:00:00.123Z', '2026-11-01T11:00:00Z',
       'Europe/Berlin', 'https://teams.microsoft.com/l/meetup-join/1', 'event', 'meeting', 'scheduling@acme.example', 'object', 'Scheduling', $1::uuid::text, 'hash',
       $2, 'because', $2, '2026-11-01T12:00:00Z', 'BLOCKED', 3, '2026-11-01T11:30:00Z', $2, '2026-11-01T12:30:00Z',
       'user-1', '2026-10-01T08:00:00Z', '2026-10-02T08:00:00.5Z')`,
    [
      ID,
      {
        code: 'GRAPH_UNAVAILABLE',
        message: 'No.',
        remedy: 'Wait.',
        occurredAt: '2026-11-01T11:30:00.000Z',
        graphRequestId: 'r',
      },
    ],
  );
  await query(
    `INSERT INTO meeting_attendees (tenant_id, meeting_id, email_address, position, name, kind, contact_id, user_id, response, responded_at, is_removed)
     VALUES ('tenant-a', $1, 'a@acme.example', 1, 'Ann', 'CONTACT', 'contact-1', NULL, 'ACCEPTED', '2026-10-03T08:00:00Z', false),
            ('tenant-a', $1, 'b@acme.example', 0, NULL, 'USER', NULL, 'user-2', 'NONE', NULL, false),
            ('tenant-a', $1, 'gone@acme.example', 2, NULL, 'EMAIL', NULL, NULL, 'NONE', NULL, true)`,
    [ID],
  );
  await query(
    `INSERT INTO meeting_recordings (tenant_id, id, meeting_id, graph_recording_id, call_id, content_correlation_id, created_at, ended_at, size_bytes, storage, gone_at)
     VALUES ('tenant-a', gen_random_uuid(), $1, 'r1', 'call', 'both', '2026-11-01T10:01:00Z', '2026-11-01T10:31:00Z', 9007199254740991, 'GRAPH', NULL),
            ('tenant-a', gen_random_uuid(), $1, 'r0', NULL, NULL, '2026-11-01T10:00:00Z', NULL, NULL, 'GRAPH', '2026-11-02T10:00:00Z')`,
    [ID],
  );
  await query(
    `INSERT INTO meeting_transcripts (tenant_id, id, meeting_id, graph_transcript_id, call_id, content_correlation_id, created_at, ended_at, is_speaker_attributed, vtt)
     VALUES ('tenant-a', gen_random_uuid(), $1, 't1', 'call', 'both', '2026-11-01T10:01:00Z', '2026-11-01T10:31:00Z', true,
       convert_to(E'WEBVTT\\n\\n00:00:00.000 --> 00:00:02.000\\n<v Jane>Hello</v>\\n', 'UTF8'))`,
    [ID],
  );
});
afterAll(() => subgraph.close());

/** All leaves of a type, and of what hangs on it. */
function leavesOf(type: string, depth = 1): string {
  const object = schema.getType(type);
  if (!isObjectType(object)) return '{ __typename }';
  const parts = Object.values(object.getFields()).flatMap((field) => selectionOf(field, depth - 1));
  return `{ __typename ${parts.join(' ')} }`;
}

function selectionOf({ name, type }: GraphQLField<unknown, unknown>, depth: number): string[] {
  const named = getNamedType(type);
  if (isLeafType(named)) return [name];
  return depth < 0 ? [] : [`${name} ${leavesOf(named.name, depth)}`];
}

function fieldsOf(type: string): string[] {
  const object = schema.getType(type);
  if (!isObjectType(object)) throw new Error(`${type} is no object type`);
  return Object.values(object.getFields()).flatMap((field) => selectionOf(field, 0));
}

/** The selection as the board answers it, and as the meeting's own query does, which reads whole rows. */
async function readBothWays(selection: string) {
  const board = await subgraph.send<{ _entities: { teamsMeeting: object }[] }>(
    token,
    `{ _entities(representations: [{ __typename: "Appointment", id: "appointment-1" }]) {
         ... on Appointment { teamsMeeting { ${selection} } } } }`,
  );
  const alone = await subgraph.send<{ teamsMeeting: object }>(token, `{ teamsMeeting(id: "${ID}") { ${selection} } }`);
  expect([...board.errors, ...alone.errors]).toEqual([]);
  return { board: board.data?._entities.map(({ teamsMeeting }) => teamsMeeting), alone: alone.data?.teamsMeeting };
}

/** Signed links name the second in which they end. */
const withoutLinks = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (key, inner) => (/Url(ExpiresAt)?$/.test(key) && key !== 'joinUrl' ? 'link' : inner)),
  );

describe.each([
  ['TeamsMeeting', (field: string) => field],
  ['MeetingAttendee', (field: string) => `attendees { ${field} }`],
  ['MeetingRecording', (field: string) => `recordings { ${field} }`],
  ['MeetingTranscript', (field: string) => `transcripts { ${field} }`],
])('each field of %s, asked for alone,', (type, within) => {
  it.each(fieldsOf(type))('%s is on a board as it is elsewhere', async (field) => {
    const { board, alone } = await readBothWays(within(field));
    expect(alone).toBeTruthy();
    expect(withoutLinks(board)).toEqual(withoutLinks([alone]));
  });
});
