import { createHash } from 'node:crypto';

/**
 * What all blobs of a tenant begin with. The PSA's ids of tenants are any text: one that is no plain lower-case name is
 * replaced by its hash, also because some file systems take `A` and `a` for the same.
 */
export function blobPrefix(tenantId: string): string {
  if (/^[a-z0-9][a-z0-9_-]{0,99}$/.test(tenantId)) return `${tenantId}/`;
  return `~${createHash('sha256').update(tenantId).digest('hex')}/`;
}

/** Under which key the copy of a recording lies. */
export function blobKey(tenantId: string, recordingId: string): string {
  return `${blobPrefix(tenantId)}${recordingId}`;
}
