import type { KeyRing } from '../../microsoft-app/key-ring.ts';
import { storedSecrets } from '../../microsoft-app/stored-secrets.ts';
import type { Scope } from '../../scope.ts';
import { type Finding, fail, pass, skip, warn } from '../finding.ts';
import type { Look } from '../look.ts';

const quoted = (ids: Iterable<string>) => [...new Set(ids)].map((id) => `“${id}”`).join(', ');

async function look(keys: KeyRing, scope: Scope): Promise<Finding> {
  const secrets = await scope.db.run(storedSecrets);
  if (secrets.length === 0) return skip('Nothing is stored encrypted for this tenant.');
  const examined = secrets.map(({ ciphertext, isNeeded }) => ({
    ...keys.examine(ciphertext, scope.db.tenantId),
    isNeeded,
  }));
  const lost = examined.filter(({ isReadable }) => !isReadable);
  const lostIds = quoted(lost.map(({ keyId }) => keyId));
  if (lost.some(({ isNeeded }) => isNeeded))
    return fail(
      `The stored credential of the app cannot be read: it needs the encryption key ${lostIds} as it was when the app was connected.`,
      `Put the encryption key ${lostIds} back into ENCRYPTION_KEYS, or connect the app again with connectMicrosoftApp.`,
    );
  if (lost.length > 0)
    return warn(
      `The credential of an app that was replaced cannot be read: it needs the encryption key ${lostIds}. Its subscriptions end by themselves within three days.`,
      `Put the encryption key ${lostIds} back into ENCRYPTION_KEYS if it is still there.`,
    );
  const older = examined.filter(({ isCurrent }) => !isCurrent);
  if (older.length > 0)
    return warn(
      `Something is still encrypted with the older key ${quoted(older.map(({ keyId }) => keyId))}.`,
      'Run npm run keys:rotate before that key is removed from ENCRYPTION_KEYS.',
    );
  return pass('Everything that is stored encrypted can be read, with the key that is used today.');
}

/** Whether the keys of ENCRYPTION_KEYS open what is stored for the tenant. */
export function encryptionKeysLook(keys: KeyRing): Look {
  return {
    name: 'encryption-keys',
    title: 'Encryption keys',
    limitMs: 15_000,
    look: ({ scope }) => look(keys, scope),
  };
}
