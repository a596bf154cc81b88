import { z } from 'zod';

/** The part of a change notification that is looked at; nothing but ids is taken from it. */
export interface ArtifactNotification {
  subscriptionId: string;
  clientState: string;
  /** The directory's object id, in lower case. */
  directoryId: string;
  kind: 'RECORDINGS' | 'TRANSCRIPTS';
  /** In lower case; null where the resource does not name a user. */
  organizerObjectId: string | null;
  onlineMeetingId: string;
  artifactId: string;
}

export interface LifecycleNotification {
  subscriptionId: string;
  clientState: string;
  directoryId: string;
  event: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';
}

const id = (longest: number) => z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${longest}}$`));
/** A clientState that is missing is one that is wrong, not a malformed item. */
const clientState = z
  .string()
  .nullish()
  .transform((text) => text ?? '');
const head = { subscriptionId: id(128), clientState, tenantId: id(128).transform((text) => text.toLowerCase()) };

const change = z.object({
  ...head,
  resource: z.string().max(4_000).nullish(),
  resourceData: z.object({ '@odata.id': z.string().max(4_000).nullish() }).nullish(),
});
const lifecycle = z.object({
  ...head,
  lifecycleEvent: z.enum(['reauthorizationRequired', 'subscriptionRemoved', 'missed']),
});

/** Ids of meetings become keys of jobs, which take no longer ones. */
const meetingId = id(400);
const artifactId = id(800);

/** `name`, `name('key')`, `name(key)`; a quotation mark in a key is doubled. */
const SEGMENT = /([A-Za-z]+)(?:\('((?:[^']|'')*)'\)|\(([^()']*)\))?(?:\/|$)/y;
const PLAIN = /([^/]+)(?:\/|$)/y;

/**
 * The segments of a resource in any of its spellings: keys in brackets or as segments, percent-encoded or not, with or
 * without a leading slash. Null when it is none of them.
 */
function segmentsOf(resource: string): string[] | null {
  const text = resource.replace(/^https:\/\/[^/]+\/v1\.0/i, '').replace(/^\//, '');
  const segments: string[] = [];
  for (let at = 0; at < text.length; ) {
    const pattern = [SEGMENT, PLAIN].find((one) => {
      one.lastIndex = at;
      return one.test(text);
    });
    if (pattern === undefined) return null;
    pattern.lastIndex = at;
    const [whole = '', name = '', quoted, bare] = pattern.exec(text) ?? [];
    at += whole.length;
    segments.push(name);
    const key = quoted?.replaceAll("''", "'") ?? bare;
    if (key !== undefined) segments.push(key);
  }
  try {
    return segments.map((segment) => decodeURIComponent(segment));
  } catch {
    return null;
  }
}

type Artifact = Pick<ArtifactNotification, 'kind' | 'organizerObjectId' | 'onlineMeetingId' | 'artifactId'>;

/**
 * What a resource names: `communications/onlineMeetings('…')/recordings('…')`, or the same below `users('…')`; likewise
 * for transcripts. Source: Microsoft Learn, teams-changenotifications-callrecording-and-calltranscript.
 */
export function artifactOf(resource: string): Artifact | null {
  const segments = segmentsOf(resource);
  if (segments === null) return null;
  const [root, ...below] = segments;
  const isOfUser = root?.toLowerCase() === 'users';
  if (!isOfUser && root?.toLowerCase() !== 'communications') return null;
  const user = isOfUser ? (below.shift() ?? '') : null;
  const [meetings, meeting, collection, artifact, ...rest] = below;
  if (meetings?.toLowerCase() !== 'onlinemeetings' || rest.length > 0 || user === '') return null;
  const kind = collection?.toLowerCase();
  if (kind !== 'recordings' && kind !== 'transcripts') return null;
  const ids = z.tuple([meetingId, artifactId]).safeParse([meeting, artifact]);
  if (!ids.success) return null;
  return {
    kind: kind === 'recordings' ? 'RECORDINGS' : 'TRANSCRIPTS',
    organizerObjectId: user?.toLowerCase() ?? null,
    onlineMeetingId: ids.data[0],
    artifactId: ids.data[1],
  };
}

/** Reads an item of a delivery; null when it is malformed. */
export function readNotification(value: unknown): ArtifactNotification | null {
  const { success, data } = change.safeParse(value);
  if (!success) return null;
  const artifact = artifactOf(data.resource ?? '') ?? artifactOf(data.resourceData?.['@odata.id'] ?? '');
  if (artifact === null) return null;
  return {
    ...artifact,
    subscriptionId: data.subscriptionId,
    clientState: data.clientState,
    directoryId: data.tenantId,
  };
}

/** The same for an item of the lifecycle address. Source: Microsoft Learn, change-notifications-lifecycle-events. */
export function readLifecycle(value: unknown): LifecycleNotification | null {
  const { success, data } = lifecycle.safeParse(value);
  if (!success) return null;
  return {
    subscriptionId: data.subscriptionId,
    clientState: data.clientState,
    directoryId: data.tenantId,
    event: data.lifecycleEvent,
  };
}
