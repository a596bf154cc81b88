import { describe, expect, it } from 'vitest';
import type { AlgaMeeting } from '../../../src/db/alga-source.ts';
import {
  fingerprintOf,
  liveOf,
  type MappedMeeting,
  type MappingOptions,
  mapMeeting,
} from '../../../src/services/adoption/alga-meeting.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const HOUR_MS = 3_600_000;
const LINK = 'https://teams.microsoft.com/l/meetup-join/19%3ameeting_X%40thread.v2/0?context=%7b%22Tid%22%7d';

function row(over: Partial<AlgaMeeting> = {}): AlgaMeeting {
  return {
    id: '5f1b2c3d-0000-4000-8000-000000000001',
    provider: 'teams',
    onlineMeetingId: 'MSpi',
    eventId: 'AAMk',
    joinUrl: LINK,
    organizerUpn: 'Scheduling@acme.example',
    organizerUserId: 'AAAAAAAA-0000-4000-8000-00000000000A',
    subject: 'Review',
    startsAt: new Date(NOW.getTime() + HOUR_MS),
    endsAt: new Date(NOW.getTime() + 2 * HOUR_MS),
    status: 'scheduled',
    errorCode: null,
    appointmentRequestId: 'request-1',
    interactionId: null,
    scheduleEntryId: 'entry-1',
    createdBy: 'user-1',
    createdAt: new Date('2026-05-01T00:00:00Z'),
    updatedAt: new Date('2026-05-02T00:00:00Z'),
    ...over,
  };
}

const PAST = { startsAt: new Date(NOW.getTime() - 2 * HOUR_MS), endsAt: new Date(NOW.getTime() - HOUR_MS) };
const OPTIONS: MappingOptions = {
  appointmentId: 'schedule_entry',
  sendsInvites: true,
  organizerIds: new Map(),
  now: NOW,
};
const map = (over: Partial<AlgaMeeting> = {}, options: Partial<MappingOptions> = {}) =>
  mapMeeting(row(over), { ...OPTIONS, ...options });

function mapped(over: Partial<AlgaMeeting> = {}, options: Partial<MappingOptions> = {}): MappedMeeting {
  const { meeting } = map(over, options);
  if (meeting === undefined) throw new Error('refused');
  return meeting;
}

describe('a meeting of alga-psa', () => {
  it('keeps its id, its link to the letter, its ids at Microsoft and its times', () => {
    expect(map()).toEqual({
      notes: [],
      meeting: {
        id: row().id,
        appointmentId: 'entry-1',
        interactionId: null,
        status: 'SCHEDULED',
        toDo: 'nothing',
        subject: 'Review',
        startsAt: row().startsAt,
        endsAt: row().endsAt,
        joinUrl: LINK,
        isCalendarBacked: true,
        graphEventId: 'AAMk',
        graphOnlineMeetingId: 'MSpi',
        organizerUpn: 'Scheduling@acme.example',
        organizerObjectId: 'aaaaaaaa-0000-4000-8000-00000000000a',
        sendsInvites: true,
        failure: null,
        createdBy: 'user-1',
        createdAt: row().createdAt,
        updatedAt: row().updatedAt,
      },
    });
  });

  const LEGACY = { eventId: null };
  const PENDING = { joinUrl: null, onlineMeetingId: null };
  const NOTHING = { ...LEGACY, ...PENDING };
  it.each<[string, Partial<AlgaMeeting>, string, string, string[]]>([
    ['scheduled', {}, 'SCHEDULED', 'nothing', []],
    ['ended', PAST, 'SCHEDULED', 'nothing', []],
    ['recording_pending', PAST, 'SCHEDULED', 'nothing', []],
    ['recording_ready', PAST, 'SCHEDULED', 'nothing', []],
    ['no_recording', PAST, 'SCHEDULED', 'nothing', []],
    ['scheduled', LEGACY, 'SCHEDULED', 'nothing', ['NOT_CALENDAR_BACKED']],
    ['scheduled', PENDING, 'PROVISIONING', 'now', ['NO_JOIN_LINK']],
    ['scheduled', { ...PENDING, ...PAST }, 'SCHEDULED', 'nothing', ['NO_JOIN_LINK']],
    ['cancelled', {}, 'CANCELLED', 'nothing', []],
    ['cancelled', NOTHING, 'CANCELLED', 'nothing', []],
    ['cancel_pending', {}, 'CANCELLING', 'now', ['CANCELLATION_PENDING']],
    ['cancel_pending', PAST, 'CANCELLED', 'nothing', ['CANCELLED_TOO_LATE']],
    ['cancel_pending', LEGACY, 'CANCELLED', 'nothing', []],
    ['failed', {}, 'FAILED', 'later', ['HAD_FAILED']],
    ['failed', PAST, 'SCHEDULED', 'nothing', []],
    ['failed', NOTHING, 'FAILED', 'nothing', ['HAD_FAILED']],
    ['failed', LEGACY, 'SCHEDULED', 'nothing', ['NOT_CALENDAR_BACKED']],
  ])('that is %s, with %j, becomes %s', (status, over, expected, toDo, notes) => {
    const mapping = map({ ...over, status });
    expect(mapping.meeting).toMatchObject({ status: expected, toDo });
    expect('notes' in mapping && mapping.notes).toEqual(notes);
    if (expected.startsWith('CANCEL')) expect(mapping.meeting?.joinUrl).toBeNull();
    expect(mapping.meeting?.isCalendarBacked).toBe(!notes.includes('NOT_CALENDAR_BACKED') && over !== LEGACY);
  });

  it.each<[string, Partial<AlgaMeeting>]>([
    ['OTHER_PROVIDER', { provider: 'zoom' }],
    ['UNKNOWN_STATUS', { status: 'dreaming' }],
    ['NO_APPOINTMENT', { scheduleEntryId: null }],
    ['NO_ORGANIZER', { organizerUpn: null, organizerUserId: null }],
    ['ENDS_BEFORE_START', { endsAt: NOW }],
    ['NOTHING_MADE', NOTHING],
  ])('is refused as %s', (refusal, over) => {
    expect(map(over)).toEqual({ refusal });
  });

  it.each([
    ['schedule_entry', {}, 'entry-1', null],
    ['appointment_request', {}, 'request-1', null],
    ['schedule_entry', { scheduleEntryId: null, interactionId: 'interaction-1' }, null, 'interaction-1'],
    ['appointment_request', { interactionId: 'interaction-1' }, 'request-1', null],
  ] as const)('belongs by %s, with %j, to %s and %s', (appointmentId, over, appointment, interaction) => {
    expect(mapped(over, { appointmentId })).toMatchObject({ appointmentId: appointment, interactionId: interaction });
  });

  it('whose organizer was never resolved gets the object id that others of the name have', () => {
    const unresolved = { organizerUserId: 'Scheduling@acme.example' };
    expect(mapped(unresolved)).toMatchObject({ organizerUpn: 'Scheduling@acme.example', organizerObjectId: null });
    expect(map(unresolved)).toMatchObject({ notes: ['ORGANIZER_UNRESOLVED'] });
    const organizerIds = new Map([['scheduling@acme.example', 'BBBB']]);
    expect(mapped(unresolved, { organizerIds }).organizerObjectId).toBe('bbbb');
    expect(mapped({ ...unresolved, organizerUpn: null }, { organizerIds }).organizerObjectId).toBe('bbbb');
  });

  it('that takes no time takes a minute, and one without a subject has a general one', () => {
    expect(mapped({ endsAt: row().startsAt }).endsAt).toEqual(new Date(row().startsAt.getTime() + 60_000));
    expect(mapped({ subject: ' \n' }).subject).toBe('Teams meeting');
    expect(mapped({ subject: null }).subject).toBe('Teams meeting');
    expect(mapped({ subject: 'a\r\nb' }).subject).toBe('a b');
  });

  it('that had failed says so with the code, shortened and in one line', () => {
    const { failure } = mapped({ status: 'failed', errorCode: `bad\n${'x'.repeat(200)}` });
    expect(failure?.message).toMatch(/^It had failed in alga-psa \(bad x{76}\) before/);
  });
});

describe('of several meetings for one thing', () => {
  const one = (id: string, over: Partial<MappedMeeting>) => ({ ...mapped(), id, ...over });
  const gone = { graphEventId: null, joinUrl: null };
  const legacy = { graphEventId: null };
  const past = { endsAt: PAST.endsAt };
  const older = { createdAt: new Date('2026-01-01T00:00:00Z') };
  it.each<[string, Partial<MappedMeeting>, Partial<MappedMeeting>]>([
    ['exists at Microsoft', past, gone],
    ['is still to come', legacy, past],
    ['is in the calendar', older, legacy],
    ['was made last', {}, older],
    ['has the lower id', {}, {}],
  ])('the one that %s is the live one', (_, live, other) => {
    const [first, second] = [one('a', live), one('b', other)];
    expect(liveOf([first, second], NOW)).toBe(first);
    expect(liveOf([second, first], NOW)).toBe(first);
  });

  it('there is none where there are none', () => {
    expect(liveOf([], NOW)).toBeNull();
  });
});

describe('the fingerprint', () => {
  const of = (over: Partial<AlgaMeeting>, appointmentId = 'entry-1') =>
    fingerprintOf(row(over), { appointmentId, interactionId: null });
  it('is another one when the source says something else, or the meeting belongs to something else', () => {
    const prints = [
      of({}),
      of({ subject: 'x' }),
      of({ status: 'cancelled' }),
      of({ endsAt: NOW }),
      of({}, 'request-1'),
    ];
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('is the same however far the recordings are', () => {
    expect(of({ status: 'recording_ready', updatedAt: NOW })).toBe(of({}));
  });
});
