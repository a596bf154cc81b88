import type { Database } from '../../db/database.ts';
import { appendAudit } from '../audit/audit.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { backgroundViewer } from '../viewer.ts';
import type { KeyRing } from './key-ring.ts';
import { storedSecrets } from './stored-secrets.ts';

/** A secret that no key of the ring opens. */
export interface LostSecret {
  tenantId: string;
  /** What cannot be read, for a person. */
  what: string;
  keyId: string;
}

export interface KeyUse {
  keyId: string;
  /** How many secrets need it. */
  secrets: number;
  tenants: number;
}

export interface KeyRotation {
  /** Re-encrypted with the first key; in a dry run, what would be. */
  rotated: number;
  /** Were under the first key already, and are left alone. */
  current: number;
  tenants: number;
  lost: LostSecret[];
  /** Counted anew when all was done; in a dry run, as it is. */
  inUse: KeyUse[];
}

export interface RotateOptions {
  /** Changes nothing. */
  isDryRun: boolean;
  /** Called after each tenant. */
  onProgress: (done: number, tenants: number) => void;
}

/**
 * Re-encrypts everything that is stored encrypted with the first key of the ring, tenant by tenant, each in a transaction
 * of its own, while servers that have all the keys go on. A secret that was changed in the meantime is read again and
 * never overwritten. What no key opens is reported and left as it is. A run that was killed is taken up by the next one.
 */
export type RotateKeys = (options: RotateOptions) => Promise<KeyRotation>;

/** Somebody who connects apps in a loop must not keep a rotation for ever; what is left over shows in the last count. */
const MOST_TRIES = 5;

/** Which keys the secrets of all tenants need, by the alphabet. */
export async function keysInUse(database: Pick<Database, 'secretKeys'>): Promise<KeyUse[]> {
  const byKey = Map.groupBy(await database.secretKeys(), ({ keyId }) => keyId);
  return [...byKey]
    .map(([keyId, rows]) => ({
      keyId,
      secrets: rows.reduce((sum, { secrets }) => sum + secrets, 0),
      tenants: rows.length,
    }))
    .sort((a, b) => a.keyId.localeCompare(b.keyId));
}

export function makeRotateKeys(
  database: Pick<Database, 'forTenant' | 'secretKeys'>,
  keys: KeyRing,
  tools: Pick<ServiceTools, 'clock' | 'newId'>,
): RotateKeys {
  /** @returns whether nothing was changed by others in between */
  function rotateOnce(scope: Scope, isDryRun: boolean, found: KeyRotation): Promise<boolean> {
    const { tenantId } = scope.db;
    return scope.db.transaction(async (prisma) => {
      const [secrets, lost] = [await storedSecrets(prisma), [] as LostSecret[]];
      let [rotated, current] = [0, 0];
      for (const { ciphertext, what, replace } of secrets) {
        const { keyId, isReadable, isCurrent } = keys.examine(ciphertext, tenantId);
        if (!isReadable) lost.push({ tenantId, what, keyId });
        else if (isCurrent) current += 1;
        else if (isDryRun || (await replace(prisma, keys.encrypt(keys.decrypt(ciphertext, tenantId), tenantId))))
          rotated += 1;
      }
      if (rotated > 0 && !isDryRun)
        await appendAudit(prisma, tools, scope.viewer, {
          operation: 'rotate-encryption-keys',
          outcome: 'success',
          detail: { keyId: keys.currentId, secrets: rotated },
        });
      found.rotated += rotated;
      const isSettled = rotated + current + lost.length === secrets.length;
      if (!isSettled) return false;
      found.current += current;
      found.lost.push(...lost);
      return true;
    });
  }

  return async ({ isDryRun, onProgress }) => {
    const tenants = [...new Set((await database.secretKeys()).map(({ tenantId }) => tenantId))].sort();
    const found: KeyRotation = { rotated: 0, current: 0, tenants: tenants.length, lost: [], inUse: [] };
    for (const [index, tenantId] of tenants.entries()) {
      const scope: Scope = { viewer: backgroundViewer(tenantId, 'keys-rotate'), db: database.forTenant(tenantId) };
      for (let tries = 1; tries <= MOST_TRIES; tries += 1) if (await rotateOnce(scope, isDryRun, found)) break;
      onProgress(index + 1, tenants.length);
    }
    return { ...found, inUse: await keysInUse(database) };
  };
}
