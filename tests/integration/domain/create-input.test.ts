import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  activate,
  CONNECT,
  CREATE,
  type CreatedMeeting,
  createMeeting,
  meetingInput,
  mutate,
  succeed,
  UPDATE_SETTINGS,
  type UserErrorAnswer,
} from '../../support/setup.ts';
import { startTestSubgraph, type TestSubgraph } from '../../support/subgraph.ts';
import { ACME, auditOf, branches, mendMicrosoft, newTenant, WITHOUT_WAITS } from './support.ts';

interface CreateAnswer {
  meeting: CreatedMeeting | null;
  userErrors: UserErrorAnswer[];
}

/** Where a join link can be read. */
interface JoinUrlAnswer {
  one: { joinUrl: string | null; invitation: { html: string; text: string; ics: string } };
  list: { edges: { node: { id: string; joinUrl: string | null } }[] };
  entities: { joinUrl?: string | null; teamsMeeting?: { joinUrl: string | null } }[];
}

const READ = `query ($id: ID!) { teamsMeeting(id: $id) { joinUrl subject startsAt endsAt status organizer { userPrincipalName objectId displayName } client { id } attendees { emailAddress name kind contact { id } user { id } response } } }`;

let subgraph: TestSubgraph;
let admin: string;
let appointments = 0;

const nextAppointment = () => `appt-input-${++appointments}`;
const create = (over: object, token = admin) =>
  mutate<CreateAnswer>(subgraph, token, CREATE, meetingInput({ appointmentId: nextAppointment(), ...over }));
const calendar = () => subgraph.simulator.listEvents(ACME.directoryId, ACME.organizer);

async function eventOf(meeting: CreatedMeeting) {
  const event = (await calendar()).find(({ joinUrl }) => joinUrl === meeting.joinUrl);
  if (event === undefined) throw new Error('the meeting has no event');
  return event;
}

async function read(id: string): Promise<Record<string, unknown> | null> {
  const { data, errors } = await subgraph.send<{ teamsMeeting: Record<string, unknown> | null }>(admin, READ, { id });
  expect(errors).toEqual([]);
  return data?.teamsMeeting ?? null;
}

beforeAll(async () => {
  subgraph = await startTestSubgraph({ graph: WITHOUT_WAITS });
  admin = await activate(subgraph);
});
afterEach(() => mendMicrosoft(subgraph));
afterAll(() => subgraph.close());

describe('a meeting that is made', () => {
  it('stands in the organizer’s calendar as wished, and here as made', async () => {
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: nextAppointment(),
      subject: '  Firewall\u0007replacement ',
      startsAt: '2036-12-01T10:00:00+02:00',
      endsAt: '2036-12-01T11:30:00+02:00',
    });
    const event = await eventOf(meeting);
    expect(event).toMatchObject({ subject: 'Firewall replacement', isOnlineMeeting: true });
    expect(new Date(event.startsAt).toISOString()).toBe('2036-12-01T08:00:00.000Z');
    expect(new Date(event.endsAt).toISOString()).toBe('2036-12-01T09:30:00.000Z');
    expect(await read(meeting.id)).toEqual({
      joinUrl: event.joinUrl,
      subject: 'Firewall replacement',
      startsAt: '2036-12-01T08:00:00.000Z',
      endsAt: '2036-12-01T09:30:00.000Z',
      status: 'SCHEDULED',
      organizer: { userPrincipalName: ACME.organizer, objectId: ACME.organizerId, displayName: 'Acme scheduling' },
      client: { id: 'client-acme' },
      attendees: [
        {
          emailAddress: 'jane@acme.example',
          name: 'Jane',
          kind: 'CONTACT',
          contact: { id: 'contact-jane' },
          user: null,
          response: 'NONE',
        },
      ],
    });
    const [row] = await subgraph.database.query<Record<string, unknown>>(
      'SELECT * FROM online_meetings WHERE id = $1',
      [meeting.id],
    );
    expect(row).toMatchObject({
      graph_event_id: event.immutableId,
      graph_online_meeting_id: event.meetingId,
      ical_uid: event.iCalUId,
      transaction_id: event.transactionId,
      is_calendar_backed: true,
      leased_until: null,
      failure: null,
    });
    expect(
      (await auditOf(subgraph, 'tenant-a', 'create')).filter(({ meeting_id }) => meeting_id === meeting.id),
    ).toMatchObject([{ outcome: 'accepted' }, { outcome: 'success' }]);
  });

  it('tells Microsoft its times in UTC, whatever zone was asked for', async () => {
    await subgraph.simulator.clearRequests();
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: nextAppointment(),
      timeZone: 'Europe/Berlin',
      startsAt: '2037-03-29T00:30:00Z',
      endsAt: '2037-03-29T02:30:00Z',
    });
    const [request] = await subgraph.simulator.requests({ method: 'POST', path: '/events$' });
    expect(request?.body).toMatchObject({
      start: { dateTime: expect.stringMatching(/^2037-03-29T00:30:00(\.0+)?$/), timeZone: 'UTC' },
      end: { dateTime: expect.stringMatching(/^2037-03-29T02:30:00(\.0+)?$/), timeZone: 'UTC' },
      transactionId: meeting.id,
    });
    expect(request?.headers.prefer).toContain('IdType="ImmutableId"');
  });

  it('takes attendees once each: trimmed, without regard to case, typed before contact before user', async () => {
    const attendees = [
      { emailAddress: ' sam@acme.example ', name: ' Sam ', userId: 'user-sam' },
      { emailAddress: 'JANE@acme.example', name: 'Jane by user', userId: 'user-jane' },
      { emailAddress: 'typed@acme.example', contactId: 'contact-typed' },
      { emailAddress: 'jane@ACME.example', name: 'Jane by contact', contactId: 'contact-jane' },
      { emailAddress: 'Typed@acme.example', name: 'By hand' },
      { emailAddress: 'sam@acme.example', name: 'Sam again', userId: 'user-other' },
    ];
    const meeting = await createMeeting(subgraph, admin, { appointmentId: nextAppointment(), attendees });
    const stored = await read(meeting.id);
    expect(stored?.attendees).toEqual([
      {
        emailAddress: 'sam@acme.example',
        name: 'Sam',
        kind: 'USER',
        contact: null,
        user: { id: 'user-sam' },
        response: 'NONE',
      },
      {
        emailAddress: 'jane@ACME.example',
        name: 'Jane by contact',
        kind: 'CONTACT',
        contact: { id: 'contact-jane' },
        user: null,
        response: 'NONE',
      },
      {
        emailAddress: 'Typed@acme.example',
        name: 'By hand',
        kind: 'EMAIL',
        contact: null,
        user: null,
        response: 'NONE',
      },
    ]);
    expect((await eventOf(meeting)).attendees.map(({ address, name }) => [address, name])).toEqual([
      ['sam@acme.example', 'Sam'],
      ['jane@ACME.example', 'Jane by contact'],
      ['Typed@acme.example', 'By hand'],
    ]);
  });

  it('stores the attendees and sends them nothing when invitations are off', async () => {
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: false });
    const mailBefore = (await subgraph.simulator.sentMail()).length;
    const meeting = await createMeeting(subgraph, admin, { appointmentId: nextAppointment() });
    expect((await eventOf(meeting)).attendees).toEqual([]);
    expect(await subgraph.simulator.sentMail()).toHaveLength(mailBefore);
    expect(meeting.attendees).toEqual([{ emailAddress: 'jane@acme.example', kind: 'CONTACT' }]);
    await succeed(subgraph, admin, UPDATE_SETTINGS, { sendMeetingInvites: true });
  });

  it('shows hostile text as text in the invitation that Exchange mails', async () => {
    const description = 'Hello <script>alert("x")</script>\n<img src=x onerror=\'steal()\'> & more';
    const meeting = await createMeeting(subgraph, admin, {
      appointmentId: nextAppointment(),
      subject: '<b>Review</b> & "plan"',
      description,
    });
    const event = await eventOf(meeting);
    expect(event.subject).toBe('<b>Review</b> & "plan"');
    expect(event.bodyHtml).toContain(
      '<p>Hello &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;</p><p>&lt;img src=x onerror=&#39;steal()&#39;&gt; &amp; more</p>',
    );
    expect(event.bodyHtml).not.toMatch(/<script|<img|<b>Review/i);
  });

  it('takes 500 attendees', async () => {
    const attendees = Array.from({ length: 500 }, (_, index) => ({ emailAddress: `guest${index}@acme.example` }));
    const meeting = await createMeeting(subgraph, admin, { appointmentId: nextAppointment(), attendees });
    expect((await eventOf(meeting)).attendees).toHaveLength(500);
  });

  it('can be for an interaction', async () => {
    const meeting = await createMeeting(subgraph, admin, { appointmentId: undefined, interactionId: 'interaction-1' });
    const again = await create({ appointmentId: undefined, interactionId: 'interaction-1', subject: 'Again' });
    expect(again).toMatchObject({ meeting: { id: meeting.id, subject: meeting.subject }, userErrors: [] });
  });

  it.each(['classic', 'short'] as const)(
    'hands on its %s join link byte by byte, wherever it is read',
    async (joinUrlFormat) => {
      await subgraph.simulator.updateUser(ACME.directoryId, ACME.organizer, { joinUrlFormat });
      const appointmentId = nextAppointment();
      const before = new Set((await calendar()).map(({ id }) => id));
      const meeting = await createMeeting(subgraph, admin, { appointmentId });
      const event = (await calendar()).find(({ id }) => !before.has(id));
      expect(event?.joinUrl).toMatch(
        joinUrlFormat === 'classic' ? /%3a.*%40thread\.v2.*context=%7b/ : /\/meet\/\d+\?p=/,
      );
      const { data, errors } = await subgraph.send<JoinUrlAnswer>(
        admin,
        `query ($id: ID!, $representations: [_Any!]!) { one: teamsMeeting(id: $id) { joinUrl invitation { html text ics } } list: teamsMeetings { edges { node { id joinUrl } } } entities: _entities(representations: $representations) { ... on Appointment { teamsMeeting { joinUrl } } ... on TeamsMeeting { joinUrl } } }`,
        {
          id: meeting.id,
          representations: [
            { __typename: 'Appointment', id: appointmentId },
            { __typename: 'TeamsMeeting', id: meeting.id },
          ],
        },
      );
      if (data === null) throw new Error(JSON.stringify(errors));
      expect(meeting.joinUrl).toBe(event?.joinUrl);
      expect((await create({ appointmentId })).meeting?.joinUrl).toBe(event?.joinUrl);
      expect(data).toMatchObject({
        one: { joinUrl: event?.joinUrl },
        entities: [{ teamsMeeting: { joinUrl: event?.joinUrl } }, { joinUrl: event?.joinUrl }],
      });
      expect(data.list).toMatchObject({
        edges: expect.arrayContaining([{ node: { id: meeting.id, joinUrl: event?.joinUrl } }]),
      });
      expect(data.one.invitation.text).toContain(event?.joinUrl);
      expect(data.one.invitation.ics.replaceAll('\r\n ', '')).toContain(event?.joinUrl);
    },
  );
});

describe('bad input', () => {
  it.each<[string, object, { code: string; path: string }[]]>([
    [
      'neither appointment nor interaction',
      { appointmentId: undefined },
      [{ code: 'INVALID_INPUT', path: 'input.appointmentId' }],
    ],
    [
      'both appointment and interaction',
      { interactionId: 'interaction-9' },
      [{ code: 'INVALID_INPUT', path: 'input.appointmentId' }],
    ],
    ['an empty appointment id', { appointmentId: '' }, [{ code: 'INVALID_INPUT', path: 'input.appointmentId' }]],
    [
      'an overlong appointment id',
      { appointmentId: 'x'.repeat(256) },
      [{ code: 'INVALID_INPUT', path: 'input.appointmentId' }],
    ],
    [
      'an overlong idempotency key',
      { idempotencyKey: 'x'.repeat(256) },
      [{ code: 'INVALID_INPUT', path: 'input.idempotencyKey' }],
    ],
    [
      'an end before the start',
      { startsAt: '2036-12-01T11:00:00Z', endsAt: '2036-12-01T10:00:00Z' },
      [{ code: 'INVALID_INPUT', path: 'input.endsAt' }],
    ],
    [
      'an end at the start',
      { startsAt: '2036-12-01T11:00:00Z', endsAt: '2036-12-01T11:00:00Z' },
      [{ code: 'INVALID_INPUT', path: 'input.endsAt' }],
    ],
    ['an unknown time zone', { timeZone: 'Europe/Atlantis' }, [{ code: 'INVALID_INPUT', path: 'input.timeZone' }]],
    ['an offset as time zone', { timeZone: '+02:00' }, [{ code: 'INVALID_INPUT', path: 'input.timeZone' }]],
    ['a blank subject', { subject: ' \t\n ' }, [{ code: 'INVALID_INPUT', path: 'input.subject' }]],
    ['an overlong subject', { subject: 'x'.repeat(256) }, [{ code: 'INVALID_INPUT', path: 'input.subject' }]],
    [
      'an overlong description',
      { description: 'x'.repeat(20_001) },
      [{ code: 'INVALID_INPUT', path: 'input.description' }],
    ],
    [
      '501 attendees',
      { attendees: Array.from({ length: 501 }, (_, index) => ({ emailAddress: `guest${index}@acme.example` })) },
      [{ code: 'INVALID_INPUT', path: 'input.attendees' }],
    ],
    [
      'an attendee who is contact and user',
      { attendees: [{ emailAddress: 'a@acme.example', contactId: 'c', userId: 'u' }] },
      [{ code: 'INVALID_INPUT', path: 'input.attendees.0.userId' }],
    ],
    [
      'everything at once',
      {
        appointmentId: undefined,
        subject: '',
        startsAt: '2036-12-02T10:00:00Z',
        timeZone: 'Mars',
        attendees: [
          { emailAddress: 'a@acme.example' },
          { emailAddress: 'nonsense' },
          { emailAddress: 'b@acme.example', contactId: 'c', userId: 'u' },
        ],
      },
      [
        { code: 'INVALID_INPUT', path: 'input.attendees.1.emailAddress' },
        { code: 'INVALID_INPUT', path: 'input.attendees.2.userId' },
        { code: 'INVALID_INPUT', path: 'input.appointmentId' },
        { code: 'INVALID_INPUT', path: 'input.subject' },
        { code: 'INVALID_INPUT', path: 'input.endsAt' },
        { code: 'INVALID_INPUT', path: 'input.timeZone' },
      ],
    ],
  ])('%s is refused at its place, and nothing is made', async (_name, over, errors) => {
    const events = (await calendar()).length;
    const [before] = await subgraph.database.query<{ count: string }>('SELECT count(*) FROM online_meetings');
    const { meeting, userErrors } = await create(over);
    expect(meeting).toBeNull();
    expect(branches(userErrors)).toEqual(errors);
    expect(await calendar()).toHaveLength(events);
    expect(await subgraph.database.query('SELECT count(*) FROM online_meetings')).toEqual([before]);
  });

  it.each([
    'nonsense',
    '@acme.example',
    'a@',
    'a b@acme.example',
    'a@acme.example, b@acme.example',
    'Jane <jane@acme.example>',
    'jane@acme..example',
    'a@b@acme.example',
    `${'x'.repeat(250)}@acme.example`,
    'jane@acme.example\r\nBcc: all@acme.example',
    '',
  ])('the address %j is refused with its place in the list', async (emailAddress) => {
    const { userErrors } = await create({ attendees: [{ emailAddress: 'good@acme.example' }, { emailAddress }] });
    expect(branches(userErrors)).toEqual([{ code: 'INVALID_INPUT', path: 'input.attendees.1.emailAddress' }]);
  });
});

describe('a tenant that is not ready', () => {
  const connect = (token: string) =>
    succeed(subgraph, token, CONNECT, {
      clientId: ACME.clientId,
      directoryId: ACME.directoryId,
      clientSecret: ACME.secret,
    });

  it.each<[string, string, (token: string) => Promise<unknown>, RegExp]>([
    ['never set up', 'NOT_CONFIGURED', async () => undefined, /connectMicrosoftApp/],
    [
      'without an app',
      'NOT_CONFIGURED',
      (token) => succeed(subgraph, token, UPDATE_SETTINGS, { sendMeetingInvites: true }),
      /connectMicrosoftApp/,
    ],
    ['without an organizer', 'NOT_CONFIGURED', connect, /organizerUserPrincipalName/],
    [
      'not active',
      'NOT_ACTIVE',
      async (token) => {
        await connect(token);
        await succeed(subgraph, token, UPDATE_SETTINGS, { organizerUserPrincipalName: ACME.organizer });
      },
      /ACTIVE/,
    ],
  ])('%s, is told %s and what to do', async (name, code, prepare, remedy) => {
    const { tenantId, admin: token } = await newTenant(subgraph, `tenant-create-${name.replaceAll(' ', '-')}`);
    await prepare(token);
    const { meeting, userErrors } = await create({}, token);
    expect(meeting).toBeNull();
    expect(userErrors).toMatchObject([{ code, remedy: expect.stringMatching(remedy) }]);
    expect(await subgraph.database.query('SELECT 1 FROM online_meetings WHERE tenant_id = $1', [tenantId])).toEqual([]);
  });
});
