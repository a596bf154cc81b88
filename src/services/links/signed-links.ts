import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RingKey } from '../microsoft-app/key-ring.ts';
import type { Viewer } from '../viewer.ts';

export type LinkPurpose = 'recording' | 'transcript' | 'transcript-text' | 'invitation';

/** For whom and what a link was made. Claims are short: they travel in every address. */
interface LinkClaims {
  purpose: LinkPurpose;
  tenantId: string;
  resourceId: string;
  viewer: { kind: Viewer['kind']; id: string; clientId?: string };
  /** Seconds since 1970. */
  expiresAt: number;
}

export interface VerifiedLink {
  tenantId: string;
  viewer: Viewer;
}

export interface SignedLink {
  url: string;
  expiresAt: Date;
}

export interface LinkSigner {
  /** An address that works for this viewer and resource only, until it expires. */
  sign(viewer: Viewer, purpose: LinkPurpose, resourceId: string): SignedLink;
  /** What a link stands for, or null: expired, changed, and another's are one and the same answer. */
  verify(token: string, purpose: LinkPurpose, resourceId: string): VerifiedLink | null;
}

const PATHS: Record<LinkPurpose, (id: string) => string> = {
  recording: (id) => `/recordings/${id}`,
  transcript: (id) => `/transcripts/${id}.vtt`,
  'transcript-text': (id) => `/transcripts/${id}.txt`,
  invitation: (id) => `/invitations/${id}.ics`,
};

/** Who opens a link may read that one thing and nothing else. */
const GRANTS: Record<LinkPurpose, 'teams_artifact:read' | 'teams_meeting:read'> = {
  recording: 'teams_artifact:read',
  transcript: 'teams_artifact:read',
  'transcript-text': 'teams_artifact:read',
  invitation: 'teams_meeting:read',
};

const LIFETIME_MINUTES = 15;

function toViewer(claims: LinkClaims): Viewer | null {
  const base = { tenantId: claims.tenantId, id: claims.viewer.id, permissions: new Set([GRANTS[claims.purpose]]) };
  if (claims.viewer.kind !== 'client') return { ...base, kind: claims.viewer.kind };
  const { clientId } = claims.viewer;
  return clientId === undefined ? null : { ...base, kind: 'client', clientId, contactId: undefined };
}

/**
 * Signs links with HMAC-SHA256 over everything that they grant. The first key signs, every key verifies.
 *
 * @param publicUrl where browsers reach the subgraph
 * @param options.recordingMinutes how long a recording's link works; default 15 minutes, as all others
 */
export function createLinkSigner(
  keys: RingKey[],
  publicUrl: string,
  clock: () => Date,
  { recordingMinutes = LIFETIME_MINUTES }: { recordingMinutes?: number | undefined } = {},
): LinkSigner {
  const [signing] = keys;
  if (signing === undefined) throw new Error('Signing links needs at least one key');
  const mac = (key: RingKey, text: string) => createHmac('sha256', key.bytes).update(text).digest();

  return {
    sign(viewer, purpose, resourceId) {
      const minutes = purpose === 'recording' ? recordingMinutes : LIFETIME_MINUTES;
      // Whole minutes make a page that is loaded twice hold the same address, so that players keep their cache.
      const expiresAt = (Math.ceil(clock().getTime() / 60_000) + minutes) * 60;
      const claims: LinkClaims = {
        purpose,
        tenantId: viewer.tenantId,
        resourceId,
        viewer: {
          kind: viewer.kind,
          id: viewer.id,
          ...(viewer.kind === 'client' ? { clientId: viewer.clientId } : {}),
        },
        expiresAt,
      };
      const signed = `${signing.id}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
      const token = `${signed}.${mac(signing, signed).toString('base64url')}`;
      return { url: `${publicUrl}${PATHS[purpose](resourceId)}?token=${token}`, expiresAt: new Date(expiresAt * 1000) };
    },

    verify(token, purpose, resourceId) {
      const [keyId, payload, signature, ...rest] = token.split('.');
      const key = keys.find((candidate) => candidate.id === keyId);
      if (key === undefined || payload === undefined || signature === undefined || rest.length > 0) return null;
      const expected = mac(key, `${keyId}.${payload}`);
      const given = Buffer.from(signature, 'base64url');
      // Compared as text too: base64url has spare bits, and a changed character must never pass.
      if (
        given.length !== expected.length ||
        !timingSafeEqual(given, expected) ||
        signature !== expected.toString('base64url')
      )
        return null;
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as LinkClaims;
      if (claims.purpose !== purpose || claims.resourceId !== resourceId) return null;
      if (claims.expiresAt * 1000 <= clock().getTime()) return null;
      const viewer = toViewer(claims);
      return viewer === null ? null : { tenantId: claims.tenantId, viewer };
    },
  };
}
