import { readDistribution } from './distribution.ts';
import { activate, createMeeting, MICROSOFT, succeed } from './setup.ts';
import { countStatements, type SentStatement } from './statements.ts';
import type { TestSubgraph } from './subgraph.ts';
import { hotReads } from './traffic.ts';

export interface HotStatement extends SentStatement {
  /** What the server was doing. */
  of: string;
  /** The distributed tables that it names. */
  tables: string[];
}

const RESCHEDULE =
  'mutation ($input: RescheduleTeamsMeetingInput!) { rescheduleTeamsMeeting(input: $input) { userErrors { code message path remedy } } }';
const ATTENDEES =
  'mutation ($input: UpdateTeamsMeetingAttendeesInput!) { updateTeamsMeetingAttendees(input: $input) { userErrors { code message path remedy } } }';
const CANCEL =
  'mutation ($input: CancelTeamsMeetingInput!) { cancelTeamsMeeting(input: $input) { userErrors { code message path remedy } } }';

/**
 * Lets a server do what it does most, for real, and returns the statements that it sent to distributed tables: each
 * once, by its text. The reads are as many as `hotReads`; then come the life of a meeting and all jobs.
 */
export async function hotStatements(subgraph: TestSubgraph): Promise<HotStatement[]> {
  const statements = countStatements();
  const { tables } = await readDistribution();
  const found = new Map<string, HotStatement>();
  const during = async <T>(of: string, work: () => Promise<T>): Promise<T> => {
    statements.reset();
    const result = await work();
    for (const { text, values } of statements.sent()) {
      const named = tables.map(({ name }) => name).filter((name) => new RegExp(`\\b${name}\\b`).test(text));
      if (named.length > 0 && !found.has(text)) found.set(text, { of, text, values, tables: named });
    }
    return result;
  };

  const token = await during('set-up', () => activate(subgraph));
  const subjects = ['appt-hot-1', 'appt-hot-2'];
  const ended = new Date(Math.trunc(Date.now() / 1000) * 1000 - 600_000);
  const [meeting] = await during('create', () =>
    Promise.all(
      subjects.map((appointmentId) =>
        createMeeting(subgraph, token, {
          appointmentId,
          clientId: 'client-acme',
          startsAt: new Date(ended.getTime() - 3_600_000).toISOString(),
          endsAt: ended.toISOString(),
        }),
      ),
    ),
  );
  if (meeting === undefined) throw new Error('no meeting was made');
  const future = await during('create', () => createMeeting(subgraph, token, { appointmentId: 'appt-hot-3' }));
  const moved = { startsAt: '2036-12-05T10:00:00Z', endsAt: '2036-12-05T11:00:00Z' };
  const change = { meetingId: future.id };
  await during('reschedule', () => succeed(subgraph, token, RESCHEDULE, { ...change, ...moved }));
  const attendees = [{ emailAddress: 'joe@acme.example', name: 'Joe' }];
  await during('attendees', () => succeed(subgraph, token, ATTENDEES, { ...change, attendees }));
  await during('cancel', () => succeed(subgraph, token, CANCEL, change));
  const { directoryId } = MICROSOFT['tenant-a'];
  await subgraph.simulator.meetingTookPlace({ directoryId, joinUrl: meeting.joinUrl ?? '' });
  await during('jobs', () => subgraph.runJobs({ early: true }));
  await during('jobs', () => subgraph.runJobs({ early: true }));
  for (const { name, query, variables } of hotReads({ subjects, meetingId: meeting.id })) {
    for (const role of ['technician', 'client'] as const) {
      const viewer = await subgraph.tokens.token(role);
      const { errors } = await during(`${name}, ${role}`, () => subgraph.send(viewer, query, variables));
      if (errors.length > 0) throw new Error(`${name}: ${JSON.stringify(errors)}`);
    }
  }
  return [...found.values()];
}
