import { ask, hold, mutate, simulate, until } from './demo-client.ts';
import { DIRECTORY_ID, ORGANIZER, type Stage, type Step } from './demo-stage.ts';

const APPOINTMENT = 'appt-a-2';
const MEETING = 'meeting { id status startsAt joinUrl failure { code } } userErrors { code message }';

interface Meeting {
  id: string;
  status: string;
  startsAt: string;
  joinUrl: string | null;
}

interface Payload {
  meeting: Meeting;
  userErrors: { code: string; message: string }[];
}

interface CalendarEvent {
  startsAt: string;
  extendedProperties: { MeetingId?: string };
}

/** One meeting through a fault, a move and a cancellation. */
export function lifecycleSteps({ gatewayUrl, simulatorUrl, tokens }: Stage): Step[] {
  let made: Meeting | undefined;
  const meeting = () => {
    hold(made, 'there is no meeting');
    return made;
  };
  const operate = async (operation: string, type: string, input: object) => {
    const query = `mutation ($input: ${type}!) { ${operation}(input: $input) { ${MEETING} } }`;
    return (await mutate<Payload>(gatewayUrl, tokens.technician, query, input)).meeting;
  };
  /** Accepted is enough for the caller; here Microsoft is waited for. */
  const settled = async (id: string, status: string): Promise<Meeting> => {
    let last: Meeting | undefined;
    await until(`the meeting is not ${status}`, async () => {
      const { teamsMeeting } = await ask<{ teamsMeeting: Meeting & { failure: object | null } }>(
        gatewayUrl,
        tokens.technician,
        'query ($id: ID!) { teamsMeeting(id: $id) { id status startsAt joinUrl failure { code } } }',
        { id },
      );
      last = teamsMeeting;
      return teamsMeeting.status === status && teamsMeeting.failure === null;
    });
    hold(last, 'there is no meeting');
    return last;
  };
  const inCalendar = async () => {
    const events = await simulate<CalendarEvent[]>(simulatorUrl, 'listEvents', {
      directoryId: DIRECTORY_ID,
      user: ORGANIZER,
    });
    return events.filter(({ extendedProperties }) => extendedProperties.MeetingId === meeting().id);
  };
  const hour = (hours: number) => new Date(Math.floor(Date.now() / 3_600_000 + hours) * 3_600_000).toISOString();

  return [
    {
      title: 'Microsoft makes a meeting and answers 504: there is one all the same',
      async run() {
        const fault = { match: { method: 'POST', path: '/events$' }, status: 504, body: null, after: true };
        await simulate(simulatorUrl, 'addFault', fault);
        const accepted = await operate('createTeamsMeeting', 'CreateTeamsMeetingInput', {
          appointmentId: APPOINTMENT,
          clientId: 'client-acme',
          subject: 'Printer replacement',
          startsAt: hour(24),
          endsAt: hour(25),
          attendees: [{ emailAddress: 'jane@acme.example' }],
        });
        made = await settled(accepted.id, 'SCHEDULED');
        hold(made.joinUrl, 'the meeting has no join link');
        const events = await inCalendar();
        hold(events.length === 1, `the calendar has ${events.length} events of it`);
        return `1 event in the calendar; ${made.joinUrl}`;
      },
    },
    {
      title: 'The appointment moves; the same event moves, the join link stays',
      async run() {
        const { id, joinUrl } = meeting();
        await operate('rescheduleTeamsMeeting', 'RescheduleTeamsMeetingInput', {
          meetingId: id,
          startsAt: hour(48),
          endsAt: hour(49),
        });
        const moved = await settled(id, 'SCHEDULED');
        hold(moved.joinUrl === joinUrl, 'the join link is another one');
        const [event] = await inCalendar();
        hold(Date.parse(event?.startsAt ?? '') === Date.parse(hour(48)), `the event begins at ${event?.startsAt}`);
        return `now at ${moved.startsAt}, byte by byte the same link`;
      },
    },
    {
      title: 'It is cancelled; the join link is gone at once, and the event with it',
      async run() {
        const { id } = meeting();
        const cancelled = await operate('cancelTeamsMeeting', 'CancelTeamsMeetingInput', {
          meetingId: id,
          comment: 'The printer works again.',
        });
        hold(cancelled.joinUrl === null, 'the join link is still there');
        await settled(id, 'CANCELLED');
        hold((await inCalendar()).length === 0, 'the event is still there');
        return 'nothing is left in the calendar';
      },
    },
  ];
}
