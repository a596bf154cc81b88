import { randomUUID } from 'node:crypto';
import { attendanceReport } from './attendance.ts';
import { sevenDigits } from './clock.ts';
import type { MeetingTookPlaceInput, MeetingTookPlaceResult, Utterance } from './control-types.ts';
import { newRecordingId, newTranscriptId } from './ids.ts';
import type { CallArtifact, OnlineMeeting, Recording, Transcript } from './meeting-store.ts';
import { extendExpiry } from './meeting-store.ts';
import type { World } from './state.ts';
import { userKey } from './state.ts';

/** Lets the meeting happen once more: one call with its recordings and transcripts. Throws when no meeting is meant. */
export function meetingTookPlace(world: World, input: MeetingTookPlaceInput): MeetingTookPlaceResult {
  const meeting = meantMeeting(world, input);
  const startedAt = input.startedAt === undefined ? meeting.startsAt : new Date(input.startedAt);
  const durationMs =
    input.durationSeconds === undefined
      ? meeting.endsAt.getTime() - meeting.startsAt.getTime()
      : input.durationSeconds * 1000;
  const call = callParts(startedAt, durationMs, input);
  const utterances = input.utterances ?? defaultDialogue(world, meeting);
  const recordings = call
    .artifacts(input.recordings ?? 1, newRecordingId)
    .map((artifact, part): Recording => ({ ...artifact, part, minBytes: input.minRecordingBytes ?? 0 }));
  const transcripts = call
    .artifacts(input.transcripts ?? 1, () => newTranscriptId(meeting.organizerId, meeting.directoryId))
    .map(
      (artifact): Transcript => ({
        ...artifact,
        utterances,
        spokenLanguage: input.spokenLanguage ?? 'en-us',
        rawVtt: input.rawVtt ?? null,
      }),
    );
  meeting.recordings.push(...recordings);
  meeting.transcripts.push(...transcripts);
  const attendance = attendanceReport(world, meeting, input, { startedAt, durationMs, utterances });
  meeting.attendanceReports.push(attendance);
  extendExpiry(meeting, new Date(startedAt.getTime() + durationMs));
  return {
    meetingId: meeting.id,
    joinWebUrl: meeting.joinWebUrl,
    organizerId: meeting.organizerId,
    callId: call.id,
    recordings: recordings.map(summary),
    transcripts: transcripts.map(summary),
    attendanceReportId: attendance.id,
  };
}

function meantMeeting(world: World, input: MeetingTookPlaceInput): OnlineMeeting {
  const meeting =
    world.meetings.byId.get(input.meetingId ?? '') ??
    world.meetings.byJoinUrl.get(input.joinUrl ?? '') ??
    world.meetings.byId.get(meetingIdOfEvent(world, input) ?? '');
  if (meeting?.directoryId === input.directoryId) return meeting;
  throw new Error('no such meeting in this directory');
}

function meetingIdOfEvent(world: World, { directoryId, eventId }: MeetingTookPlaceInput): string | null {
  for (const [key, mailbox] of world.mailboxes) {
    const event = key.startsWith(`${directoryId}/`) ? mailbox.byId.get(eventId ?? '') : undefined;
    if (event !== undefined) return event.meetingId;
  }
  return null;
}

/** The ids that all artifacts of one call share, and its division into parts. */
function callParts(startedAt: Date, durationMs: number, input: MeetingTookPlaceInput) {
  const id = randomUUID();
  const correlations: string[] = [];
  const availableAt = new Date(startedAt.getTime() + durationMs + (input.availableAfterSeconds ?? 0) * 1000);
  return {
    id,
    artifacts(count: number, newId: () => string): CallArtifact[] {
      return Array.from({ length: count }, (_, part) => {
        correlations[part] ??= randomUUID();
        return {
          id: newId(),
          callId: id,
          contentCorrelationId: correlations[part] ?? '',
          createdAt: new Date(startedAt.getTime() + (durationMs * part) / count),
          endedAt: new Date(startedAt.getTime() + (durationMs * (part + 1)) / count),
          availableAt: input.availableAfterSeconds === undefined ? new Date(0) : availableAt,
          isAnnounced: false,
        };
      });
    },
  };
}

function defaultDialogue(world: World, meeting: OnlineMeeting): Utterance[] {
  const organizer = world.users.get(userKey({ directoryId: meeting.directoryId, id: meeting.organizerId }));
  const host = organizer?.displayName ?? 'Organizer';
  return [
    { speaker: host, text: 'Good morning, shall we begin?' },
    { speaker: 'Alex Guest', text: 'Yes, I can see your screen.' },
    { speaker: host, text: 'Then let us look at the open tickets.' },
  ];
}

function summary(artifact: CallArtifact) {
  return {
    id: artifact.id,
    contentCorrelationId: artifact.contentCorrelationId,
    createdDateTime: sevenDigits(artifact.createdAt),
    endDateTime: sevenDigits(artifact.endedAt),
  };
}
