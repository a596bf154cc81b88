import { v7 as uuidv7 } from 'uuid';
import type { OnlineMeetingCreateInput } from '../../../src/generated/prisma/models.ts';
import { backgroundViewer } from '../../../src/services/viewer.ts';
import type { TestSubgraph } from '../../support/subgraph.ts';

export const HOUR = 3_600_000;

/** What a stored meeting differs in from the usual one. */
export interface MeetingRow
  extends Partial<Omit<OnlineMeetingCreateInput, 'attendees' | 'recordings' | 'transcripts'>> {
  attendees?: { emailAddress: string; contactId?: string; userId?: string }[];
  /** How many. */
  recordings?: number;
  /** The WebVTT of each. */
  transcripts?: string[];
}

export interface StoredMeeting {
  id: string;
  recordingIds: string[];
  transcriptIds: string[];
}

/** WebVTT whose cues say these lines, three seconds each, all by one speaker. */
export function vttOf(lines: readonly string[], speaker = 'Jane'): string {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString().slice(11, 23);
  const cues = lines.map((line, i) => `${time(i * 3)} --> ${time(i * 3 + 3)}\n<v ${speaker}>${line}</v>\n`);
  return `WEBVTT\n\n${cues.join('\n')}`;
}

/** Stores a meeting as if it had been made and captured before; Microsoft knows nothing of it. */
export async function storeMeeting(
  subgraph: TestSubgraph,
  tenantId: string,
  { attendees = [], recordings = 0, transcripts = [], ...over }: MeetingRow = {},
): Promise<StoredMeeting> {
  const id = typeof over.id === 'string' ? over.id : uuidv7();
  const startsAt = new Date(over.startsAt ?? '2036-12-01T10:00:00Z');
  const endsAt = new Date(over.endsAt ?? startsAt.getTime() + HOUR);
  const recordingIds = Array.from({ length: recordings }, () => uuidv7());
  const transcriptRows = transcripts.map((vtt) => ({ id: uuidv7(), vtt: new TextEncoder().encode(vtt) }));
  const at = new Date('2026-11-01T00:00:00Z');
  await subgraph.db.forTenant(tenantId).transaction(async (prisma) => {
    await prisma.onlineMeeting.create({
      data: {
        status: 'SCHEDULED',
        subject: `Meeting ${id}`,
        timeZone: 'UTC',
        joinUrl: `https://teams.microsoft.com/l/meetup-join/${id}`,
        organizerUpn: 'scheduling@acme.example',
        organizerObjectId: 'aaaaaaaa-0000-4000-8000-00000000000a',
        graphOnlineMeetingId: `online-${id}`,
        transactionId: id,
        inputHash: id,
        ...(recordings + transcripts.length > 0 ? { captureState: 'READY', captureLastAttemptAt: endsAt } : {}),
        createdBy: 'user-somebody',
        createdAt: at,
        updatedAt: at,
        ...over,
        id,
        startsAt,
        endsAt,
      },
    });
    await prisma.meetingAttendee.createMany({
      data: attendees.map((attendee, position) => ({
        ...attendee,
        meetingId: id,
        position,
        kind: attendee.contactId ? 'CONTACT' : attendee.userId ? 'USER' : 'EMAIL',
      })),
    });
    await prisma.meetingRecording.createMany({
      data: recordingIds.map((recordingId) => ({
        id: recordingId,
        meetingId: id,
        graphRecordingId: recordingId,
        createdAt: startsAt,
        endedAt: endsAt,
      })),
    });
    await prisma.meetingTranscript.createMany({
      data: transcriptRows.map((row) => ({
        ...row,
        meetingId: id,
        graphTranscriptId: row.id,
        createdAt: startsAt,
        isSpeakerAttributed: true,
      })),
    });
  });
  const scope = { viewer: backgroundViewer(tenantId), db: subgraph.db.forTenant(tenantId) };
  if (transcripts.length > 0) await subgraph.services.indexTranscripts(scope);
  return { id, recordingIds, transcriptIds: transcriptRows.map((row) => row.id) };
}
