import { sevenDigits } from './clock.ts';
import type { Json } from './errors.ts';
import { badRequest, GraphFailure, teamsNotFound } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import type { CallArtifact, OnlineMeeting } from './meeting-store.ts';
import { compare, parseFilter, select } from './odata.ts';
import { meetingInPath } from './online-meetings.ts';
import { pageOf } from './paging.ts';
import type { Answer } from './serve.ts';

/** What tells recordings from transcripts in addresses and types. */
export interface ArtifactKind {
  collection: 'recordings' | 'transcripts';
  type: 'callRecording' | 'callTranscript';
  contentUrl: 'recordingContentUrl' | 'transcriptContentUrl';
}

const PAGE_SIZE = 100;

/**
 * The meeting of an artifacts call: calendar-backed and not expired. Source: list-recordings, list-transcripts.
 * Microsoft does not document the status for the others; 404 is an assumption.
 */
export function artifactMeeting(call: UserCall, readers: 'organizer' | 'organizerAndInvited'): OnlineMeeting {
  const meeting = meetingInPath(call, readers);
  if (!meeting.isCalendarBacked) throw teamsNotFound('The meeting is not associated with an event on the calendar.');
  if (meeting.expiresAt <= call.now) throw teamsNotFound('The meeting has expired.');
  return meeting;
}

/** A list answer; `$filter` takes `contentCorrelationId eq '…'`, `callId eq '…'` and comparisons of createdDateTime. */
export function listArtifacts(call: UserCall, meeting: OnlineMeeting, all: CallArtifact[], kind: ArtifactKind): Answer {
  const filters = artifactFilters(option(call, '$filter'));
  const matching = all.filter(
    (artifact) => artifact.availableAt <= call.now && filters.every((holds) => holds(artifact)),
  );
  const page = pageOf(call, matching, PAGE_SIZE);
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, contextPath(call, meeting, kind)),
      '@odata.count': page.items.length,
      value: page.items.map((artifact) => select(call, artifactView(call, meeting, artifact, kind), kind.type, ['id'])),
      ...(page.nextLink === undefined ? {} : { '@odata.nextLink': page.nextLink }),
    },
  };
}

type ArtifactFilter = (artifact: CallArtifact) => boolean;

/** The conditions of a `$filter`, all of which must hold. Throws 400 for one that is not understood. */
export function artifactFilters(text: string | undefined): ArtifactFilter[] {
  const comparisons = text === undefined ? [] : parseFilter(text);
  if (comparisons === null) throw badRequest('Invalid filter clause.');
  return comparisons.map(({ property, operator, value }) => {
    if (property === 'contentcorrelationid') {
      return (artifact) => compare(artifact.contentCorrelationId, operator, value);
    }
    if (property === 'callid') return (artifact) => compare(artifact.callId, operator, value);
    const instant = new Date(value).getTime();
    if (property !== 'createddatetime' || Number.isNaN(instant)) throw badRequest('Invalid filter clause.');
    return (artifact) => compare(artifact.createdAt.getTime(), operator, instant);
  });
}

/** A single artifact's answer. */
export function artifactAnswer(
  call: UserCall,
  meeting: OnlineMeeting,
  artifact: CallArtifact,
  kind: ArtifactKind,
): Answer {
  return {
    status: 200,
    body: {
      '@odata.context': contextUrl(call, `${contextPath(call, meeting, kind)}/$entity`),
      ...select(call, artifactView(call, meeting, artifact, kind), kind.type, ['id']),
    },
  };
}

/**
 * The artifact whose id stands in the path. Throws 404 when there is none, and 404 or 410 by the simulator's switch when
 * it was deleted or has expired; neither text is documented.
 */
export function artifactInPath<Artifact extends CallArtifact>(
  call: UserCall,
  meeting: OnlineMeeting,
  all: Artifact[],
): Artifact {
  const artifact = all.find((one) => one.id === call.params.artifact && one.availableAt <= call.now);
  if (artifact !== undefined) return artifact;
  const isGone = call.world.behaviour.artifactContent.gone === 410;
  if (isGone && meeting.removedArtifactIds.has(call.params.artifact ?? '')) {
    throw new GraphFailure(410, 'Gone', 'The requested resource is no longer available.');
  }
  throw teamsNotFound('The requested resource was not found.');
}

/** An artifact as Graph shows it. Source: resources/callrecording. */
export function artifactView(call: UserCall, meeting: OnlineMeeting, artifact: CallArtifact, kind: ArtifactKind): Json {
  const path = ['users', call.user.id, 'onlineMeetings', meeting.id, kind.collection, artifact.id, 'content'];
  return {
    id: artifact.id,
    meetingId: meeting.id,
    callId: artifact.callId,
    contentCorrelationId: artifact.contentCorrelationId,
    createdDateTime: sevenDigits(artifact.createdAt),
    endDateTime: sevenDigits(artifact.endedAt),
    [kind.contentUrl]: `${call.baseUrl}/v1.0/${path.map(encodeURIComponent).join('/')}`,
    meetingOrganizer: {
      application: null,
      device: null,
      user: {
        '@odata.type': '#microsoft.graph.teamworkUserIdentity',
        id: meeting.organizerId,
        displayName: null,
        userIdentityType: 'aadUser',
        tenantId: meeting.directoryId,
      },
    },
  };
}

function contextPath(call: UserCall, meeting: OnlineMeeting, kind: ArtifactKind): string {
  return `users('${call.user.id}')/onlineMeetings('${encodeURIComponent(meeting.id)}')/${kind.collection}`;
}
