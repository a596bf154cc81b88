import { createHmac } from 'node:crypto';
import { z } from 'zod';
import type { RingKey } from '../microsoft-app/key-ring.ts';
import { isSameSecret } from '../same-secret.ts';
import type { Viewer } from '../viewer.ts';

export type LinkPurpose = 'recording' | 'transcript' | 'transcript-text' | 'invitation';

/** For whom and what a link was made, the end in seconds since 1970. Claims are short: they travel in every address. */
const linkClaims = z.object({
  purpose: z.enum(['recording', 'transcript', 'transcript-text', 'invitation']),
  tenantId: z.string(),
  resourceId: z.string(),
  viewer: z.discriminatedUnion('kind', [
    z.object({ kind: z.enum(['msp', 'service']), id: z.string() }),
    z.object({ kind: z.literal('client'), id: z.string(), clientId: z.string() }),
  ]),
  expiresAt: z.number(),
});

type LinkClaims = z.infer<typeof linkClaims>;

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

function viewerOf({ tenantId, purpose, viewer }: LinkClaims): Viewer {
  const base = { tenantId, permissions: new Set([GRANTS[purpose]]) };
  return viewer.kind === 'client' ? { ...base, ...viewer, contactId: undefined } : { ...base, ...viewer };
}

/** What was signed; null when that are no claims of a link, which only a mistake of our own could sign. */
function claimsOf(payload: string): LinkClaims | null {
  try {
    return linkClaims.safeParse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))).data ?? null;
  } catch {
    return null;
  }
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
        viewer:
          viewer.kind === 'client'
            ? { kind: viewer.kind, id: viewer.id, clientId: viewer.clientId }
            : { kind: viewer.kind, id: viewer.id },
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
      // Compared as text: base64url has spare bits, and a changed character must never pass.
      if (!isSameSecret(signature, mac(key, `${keyId}.${payload}`).toString('base64url'))) return null;
      const claims = claimsOf(payload);
      if (claims?.purpose !== purpose || claims.resourceId !== resourceId) return null;
      if (claims.expiresAt * 1000 <= clock().getTime()) return null;
      return { tenantId: claims.tenantId, viewer: viewerOf(claims) };
    },
  };
}
