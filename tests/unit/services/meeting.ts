import type { Meeting, StoredAttendee } from '../../../src/services/meetings/meeting.ts';

/** A stored meeting that is good as it is; `over` replaces parts of it. */
export function storedMeeting(over: Partial<Meeting> = {}): Meeting {
  const at = new Date('2026-03-01T08:00:00Z');
  return {
    tenantId: 'tenant-a',
    id: '01890000-0000-7000-8000-000000000001',
    appointmentId: 'appointment-1',
    interactionId: null,
    clientId: null,
    contactId: null,
    status: 'SCHEDULED',
    subject: 'Quarterly review',
    description: null,
    startsAt: new Date('2026-03-02T14:00:00Z'),
    endsAt: new Date('2026-03-02T15:00:00Z'),
    timeZone: 'UTC',
    joinUrl: 'https://teams.microsoft.com/l/meetup-join/19%3ameeting_abc%40thread.v2/0?context=%7b%22Tid%22%7d&x=1',
    isCalendarBacked: true,
    graphEventId: 'event',
    graphOnlineMeetingId: 'online-meeting',
    iCalUid: '040000008200E00074C5B7101A82E008',
    organizerUpn: 'organizer@msp.example',
    organizerObjectId: 'organizer-id',
    organizerDisplayName: 'Scheduling',
    transactionId: 'transaction',
    idempotencyKey: null,
    inputHash: 'hash',
    sendsInvites: true,
    mailsInvitations: null,
    operation: 'create',
    syncedVersion: 1,
    leasedUntil: null,
    leaseToken: null,
    createUnconfirmed: false,
    lateCreateUntil: null,
    nextAttemptAt: null,
    failedAttempts: 0,
    failingSince: null,
    failure: null,
    cancelReason: null,
    captureAttempts: 0,
    captureLastAttemptAt: null,
    captureFailure: null,
    createdBy: 'user',
    createdAt: at,
    updatedAt: at,
    version: 1,
    ...over,
  };
}

export function storedAttendee(over: Partial<StoredAttendee> = {}): StoredAttendee {
  return {
    tenantId: 'tenant-a',
    meetingId: '01890000-0000-7000-8000-000000000001',
    emailAddress: 'jane@acme.example',
    position: 0,
    name: 'Jane',
    kind: 'CONTACT',
    contactId: 'contact-jane',
    userId: null,
    response: 'NONE',
    respondedAt: null,
    isRemoved: false,
    ...over,
  };
}
