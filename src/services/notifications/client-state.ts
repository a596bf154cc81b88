import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { RingKey } from '../microsoft-app/key-ring.ts';
import { isSameSecret } from '../same-secret.ts';

/** Microsoft takes no more characters. Source: Microsoft Learn, resources/subscription. */
const LONGEST = 128;
const NONCE_BYTES = 12;
/** 192 bits of an HMAC-SHA256: what leaves room for the tenant's id. */
const MAC_BYTES = 24;

export interface IssuedClientState {
  text: string;
  nonce: string;
  keyId: string;
}

export interface ReadClientState {
  tenantId: string;
  nonce: string;
  keyId: string;
}

/** The secret that a subscription's notifications bring back, and by which they prove their tenant. */
export interface ClientStates {
  /** A new one; null when the tenant's id is too long to stand in it (58 bytes fit). */
  issue(tenantId: string): IssuedClientState | null;
  /** Whose it is; null when none of the keys signed it. */
  read(text: string): ReadClientState | null;
  /** Whether the key of this id still verifies, and whether it is the one that signs. */
  knows(keyId: string): boolean;
  isSigning(keyId: string): boolean;
}

/**
 * `<tenant>.<nonce>.<mac>`, all base64url: the tenant is known before anything is read from the database, and only a
 * holder of a key can have written it. The first key signs, all verify; each is derived for this purpose alone, so that
 * nothing signed here can pass as a link.
 */
export function createClientStates(keys: readonly RingKey[]): ClientStates {
  const derived = keys.map(({ id, bytes }) => ({
    id,
    bytes: Buffer.from(hkdfSync('sha256', bytes, '', 'graph-notifications', 32)),
  }));
  const [signing] = derived;
  if (signing === undefined) throw new Error('Notifications need at least one key');
  const macOf = (key: Buffer, signed: string) =>
    createHmac('sha256', key).update(signed).digest().subarray(0, MAC_BYTES).toString('base64url');

  return {
    issue(tenantId) {
      const nonce = randomBytes(NONCE_BYTES).toString('base64url');
      const signed = `${Buffer.from(tenantId).toString('base64url')}.${nonce}`;
      const text = `${signed}.${macOf(signing.bytes, signed)}`;
      return text.length > LONGEST ? null : { text, nonce, keyId: signing.id };
    },

    read(text) {
      const [tenant, nonce, mac, ...rest] = text.length > LONGEST ? [] : text.split('.');
      if (!tenant || !nonce || !mac || rest.length > 0) return null;
      // Compared as text: base64url has spare bits, and a changed character must never pass.
      const key = derived.find(({ bytes }) => isSameSecret(mac, macOf(bytes, `${tenant}.${nonce}`)));
      return key === undefined
        ? null
        : { tenantId: Buffer.from(tenant, 'base64url').toString('utf8'), nonce, keyId: key.id };
    },

    isSigning: (keyId) => keyId === signing.id,
    knows: (keyId) => derived.some(({ id }) => id === keyId),
  };
}
