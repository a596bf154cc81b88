import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activate, captureMeeting, createMeeting, succeed, type UserErrorAnswer } from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, WITHOUT_WAITS } from '../domain/support.ts';

const SUBJECT = 'Confidential merger';
const DESCRIPTION = 'The secret plan';

let subgraph: TestSubgraph;
let admin: string;
let meetingId: string;
let secrets: string[];

const change = (name: string, inputType: string, input: object) =>
  succeed<{ userErrors: UserErrorAnswer[] }>(
    subgraph,
    admin,
    `mutation ($input: ${inputType}!) { ${name}(input: $input) { meeting { id } userErrors { code message path remedy } } }`,
    { meetingId, ...input },
  );

/** Every operation that there is on a meeting, and what follows it. */
beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  admin = await activate(subgraph, 'tenant-a', { meetingDefaults: { recordAutomatically: true } });
  await subgraph.send(admin, 'mutation { verifyTeamsOrganizer { verification { outcome } } }');
  const meeting = await createMeeting(subgraph, admin, { subject: SUBJECT, description: DESCRIPTION });
  meetingId = meeting.id;
  await change('rescheduleTeamsMeeting', 'RescheduleTeamsMeetingInput', {
    startsAt: '2036-12-02T10:00:00Z',
    endsAt: '2036-12-02T11:00:00Z',
  });
  await change('updateTeamsMeetingAttendees', 'UpdateTeamsMeetingAttendeesInput', {
    attendees: [{ emailAddress: 'john@acme.example', name: 'John Confidential' }],
  });
  await captureMeeting(subgraph, admin, meeting);
  await subgraph.runJobs({ early: true });
  const { data } = await subgraph.send<{ teamsMeeting: { transcripts: { text: string; vttUrl: string }[] } }>(
    admin,
    'query ($id: ID!) { teamsMeeting(id: $id) { transcripts { text vttUrl } recordings { contentUrl } } }',
    { id: meetingId },
  );
  const [transcript] = data?.teamsMeeting.transcripts ?? [];
  await change('cancelTeamsMeeting', 'CancelTeamsMeetingInput', { comment: 'Secretly called off' });
  const spoken = transcript?.text.split('\n').find((line) => line.length > 20) ?? '';
  const signature = new URL(transcript?.vttUrl ?? '').search;
  secrets = [
    ...[SUBJECT, DESCRIPTION, 'Secretly called off', 'John Confidential', 'john@acme.example', 'jane@acme.example'],
    ...[meeting.joinUrl ?? '', 'meetup-join', ACME.secret, admin, 'eyJ', 'Bearer ', spoken, signature],
  ];
});
afterAll(() => subgraph?.close());

const linesOf = (operation: string) =>
  subgraph.logs.filter(({ msg }) => msg === `[TeamsMeetings] operation=${operation}`);

describe('what becomes of a meeting is one line of the log', () => {
  it.each(['create', 'reschedule', 'attendees', 'cancel', 'refresh', 'apply-meeting-defaults'])(
    'for %s, with the meeting, its tenant, the outcome, the time and Microsoft’s request id',
    (operation) => {
      expect(linesOf(operation)).toEqual([
        expect.objectContaining({
          tenantId: 'tenant-a',
          meetingId,
          outcome: 'success',
          durationMs: expect.any(Number),
          graphRequestId: null,
        }),
      ]);
    },
  );

  it('for a verification, which is about no meeting', () => {
    expect(linesOf('verify')).toMatchObject([
      { tenantId: 'tenant-a', outcome: 'VERIFIED', durationMs: expect.any(Number), graphRequestId: null },
    ]);
  });
});

it('no line, of whatever level, has a secret, a link, a name or what was said in it', () => {
  const said = JSON.stringify(subgraph.logs);
  expect(subgraph.logs.length).toBeGreaterThan(20);
  for (const secret of secrets) {
    expect(secret.length, 'something to look for').toBeGreaterThan(2);
    expect(said.includes(secret), secret).toBe(false);
  }
});
