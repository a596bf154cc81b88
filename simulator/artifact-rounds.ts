import { randomUUID } from 'node:crypto';
import type { ArtifactKind } from './artifacts.ts';
import { artifactFilters, artifactView } from './artifacts.ts';
import type { Json } from './errors.ts';
import { badRequest, GraphFailure, teamsForbidden } from './errors.ts';
import type { UserCall } from './graph-call.ts';
import { contextUrl, option } from './graph-call.ts';
import type { ArtifactPlace, CallArtifact, OnlineMeeting } from './meeting-store.ts';
import { meetingsOf } from './meeting-store.ts';
import type { Answer } from './serve.ts';

interface Found {
  meeting: OnlineMeeting;
  artifact: CallArtifact;
}

type Bounds = Pick<ArtifactPlace, 'organizerId' | 'from' | 'until'>;

const PAGE_SIZE = 100;

/** `GET …/onlineMeetings/getAllRecordings(…)` and `getAllTranscripts(…)`. Source: callrecording and calltranscript pages. */
export function listAllArtifacts(call: UserCall, kind: ArtifactKind): Answer {
  const bounds = boundsOf(call);
  const token = option(call, '$skipToken');
  if (token === undefined) return page(call, kind, firstPlace(call, kind, bounds), false);
  const place = call.world.artifactPlaces.get(token);
  if (place === undefined) throw badRequest('Skip token is invalid.');
  return page(call, kind, place, false);
}

/**
 * The same with `/delta`: what was not told before, never a deletion. A filter beside a token is refused. Source:
 * calltranscript-delta, known issues. That a forgotten token is a 410 `SyncStateNotFound` is an assumption.
 */
export function artifactDelta(call: UserCall, kind: ArtifactKind): Answer {
  const bounds = boundsOf(call);
  const deltaToken = option(call, '$deltaToken');
  const token = option(call, '$skipToken') ?? deltaToken;
  if (token === undefined) return page(call, kind, firstPlace(call, kind, bounds), true);
  if (option(call, '$filter') !== undefined) {
    throw new GraphFailure(400, 'BadRequest', '$filter is not allowed with a delta or skip token.', {
      inner: { code: 'DeltaFilterNotAllowed' },
    });
  }
  const place = call.world.artifactPlaces.get(token);
  if (place?.collection !== kind.collection || place.organizerId !== bounds.organizerId) {
    throw new GraphFailure(410, 'SyncStateNotFound', 'The sync state generation is not found; begin afresh.');
  }
  return page(call, kind, deltaToken === token ? nextRound(call, kind, place) : place, true);
}

function firstPlace(call: UserCall, kind: ArtifactKind, bounds: Bounds): ArtifactPlace {
  const ids = idsOf(find(call, kind, bounds, option(call, '$filter')));
  return { collection: kind.collection, ...bounds, pages: pagesOf(call, ids), told: [] };
}

function nextRound(call: UserCall, kind: ArtifactKind, place: ArtifactPlace): ArtifactPlace {
  const all = idsOf(find(call, kind, place, undefined));
  const fresh = all.filter((id) => !place.told.includes(id));
  const repeated = call.world.behaviour.crossMeeting.deltaRepeats ? all.filter((id) => place.told.includes(id)) : [];
  return { ...place, pages: pagesOf(call, [...repeated.slice(-1), ...fresh]) };
}

function page(call: UserCall, kind: ArtifactKind, place: ArtifactPlace, isDelta: boolean): Answer {
  const [ids = [], ...pages] = place.pages;
  const found = new Map(find(call, kind, place, undefined).map((one) => [one.artifact.id, one]));
  const next: ArtifactPlace = { ...place, pages, told: [...new Set([...place.told, ...ids])] };
  const path = `users('${call.user.id}')/onlineMeetings/${kind.collection}`;
  const body: Json = {
    '@odata.context': contextUrl(call, isDelta ? `${path}/$delta` : path),
    value: ids.flatMap((id) => {
      const one = found.get(id);
      return one === undefined ? [] : [crossMeetingView(call, one, kind)];
    }),
  };
  if (pages.length > 0) body['@odata.nextLink'] = link(call, '$skipToken', next);
  else if (isDelta) body['@odata.deltaLink'] = link(call, '$deltaToken', next);
  return { status: 200, body };
}

function crossMeetingView(call: UserCall, { meeting, artifact }: Found, kind: ArtifactKind): Json {
  return {
    '@odata.type': `#microsoft.graph.${kind.type}`,
    ...artifactView(call, meeting, artifact, kind),
    meetingOrganizerId: meeting.organizerId,
  };
}

/** What is there to be told, oldest first. */
function find(call: UserCall, kind: ArtifactKind, bounds: Bounds, filter: string | undefined): Found[] {
  const filters = artifactFilters(filter);
  const leavesOut =
    kind.collection === 'recordings' && call.world.behaviour.crossMeeting.recordingsWithoutTranscript === 'leftOut';
  return meetingsOf(call.world.meetings, call.directory.id, bounds.organizerId)
    .filter((meeting) => meeting.isCalendarBacked && meeting.expiresAt > call.now)
    .flatMap((meeting) => meeting[kind.collection].map((artifact: CallArtifact): Found => ({ meeting, artifact })))
    .filter(({ meeting, artifact }) => {
      const createdAt = artifact.createdAt.getTime();
      const isTranscribed = meeting.transcripts.some(({ callId }) => callId === artifact.callId);
      return (
        artifact.availableAt <= call.now &&
        createdAt >= bounds.from &&
        createdAt <= bounds.until &&
        (isTranscribed || !leavesOut) &&
        filters.every((holds) => holds(artifact))
      );
    })
    .sort((a, b) => a.artifact.createdAt.getTime() - b.artifact.createdAt.getTime());
}

function idsOf(found: Found[]): string[] {
  return found.map(({ artifact }) => artifact.id);
}

/** Pages as they will come, with Microsoft's known oddities where they are switched on. */
function pagesOf(call: UserCall, ids: string[]): string[][] {
  const { paging, crossMeeting } = call.world.behaviour;
  const top = Number(option(call, '$top'));
  const size = Number.isSafeInteger(top) && top > 0 ? top : (paging.pageSize ?? PAGE_SIZE);
  const count = Math.max(1, Math.ceil(ids.length / size));
  const pages = Array.from({ length: count }, (_, index) => ids.slice(index * size, (index + 1) * size));
  if (paging.emptyPageFirst) return [[], ...pages];
  return crossMeeting.restartsAfterEmptyPage ? [pages[0] ?? [], [], ...pages] : pages;
}

/** The function's parameters; the organizer must be given and be the user in the path. */
function boundsOf(call: UserCall): Bounds {
  const text = /\/getAll\w+\(([^)]*)\)/i.exec(decodeURIComponent(call.path))?.[1] ?? '';
  const given = new Map([...text.matchAll(/(\w+)=('[^']*'|[^,]*)/g)].map(([, name = '', value = '']) => [name, value]));
  const organizerId = /^'([^']+)'$/.exec(given.get('meetingOrganizerUserId') ?? '')?.[1];
  if (organizerId === undefined) throw badRequest('The parameter meetingOrganizerUserId is required.');
  if (organizerId.toLowerCase() !== call.user.id) throw teamsForbidden('An error has occurred.');
  return {
    organizerId: call.user.id,
    from: instant(given.get('startDateTime')) ?? Number.NEGATIVE_INFINITY,
    until: instant(given.get('endDateTime')) ?? Number.POSITIVE_INFINITY,
  };
}

function instant(text: string | undefined): number | null {
  if (text === undefined) return null;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw badRequest(`Invalid value '${text}' for a parameter of the function.`);
  return time;
}

function link(call: UserCall, name: '$skipToken' | '$deltaToken', place: ArtifactPlace): string {
  const token = randomUUID();
  call.world.artifactPlaces.set(token, place);
  return `${call.baseUrl}${call.path}?${name}=${token}`;
}
