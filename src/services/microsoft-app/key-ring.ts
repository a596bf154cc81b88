import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export interface RingKey {
  id: string;
  /** 32 bytes. */
  bytes: Buffer;
}

/** A stored secret that no configured key can read. */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
}

/**
 * Encrypts secrets at rest with AES-256-GCM. The first key encrypts, every key decrypts, so keys can be rotated
 * without downtime. `owner` (a tenant id) is authenticated with the text: a ciphertext copied to another tenant's
 * row cannot be read there.
 */
export class KeyRing {
  readonly #keys: [RingKey, ...RingKey[]];

  constructor(keys: RingKey[]) {
    const [first, ...rest] = keys;
    if (first === undefined) throw new Error('A key ring needs at least one key');
    this.#keys = [first, ...rest];
  }

  /** The key that encrypts today. */
  get currentId(): string {
    return this.#keys[0].id;
  }

  /** @returns `v1:<key id>:<nonce>:<ciphertext and tag>`, the last two in base64url */
  encrypt(plaintext: string, owner: string): string {
    const [key] = this.#keys;
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return ['v1', key.id, nonce.toString('base64url'), sealed.toString('base64url')].join(':');
  }

  /**
   * Says of a stored text which key it needs and whether it opens, without handing out what is in it.
   * @returns `keyId` as the text names it; `isCurrent`: it is the key that encrypts today
   */
  examine(text: string, owner: string): { keyId: string; isReadable: boolean; isCurrent: boolean } {
    const keyId = text.split(':')[1] ?? '';
    const isCurrent = keyId === this.#keys[0].id;
    try {
      this.decrypt(text, owner);
      return { keyId, isReadable: true, isCurrent };
    } catch (error) {
      if (!(error instanceof SecretUnreadableError)) throw error;
      return { keyId, isReadable: false, isCurrent };
    }
  }

  /** @throws SecretUnreadableError when the key is gone, or the text or its owner was changed */
  decrypt(text: string, owner: string): string {
    const [version, keyId, nonce, sealed] = text.split(':');
    const key = this.#keys.find((candidate) => candidate.id === keyId);
    if (version !== 'v1' || key === undefined || nonce === undefined || sealed === undefined) {
      throw new SecretUnreadableError(
        `A stored secret needs the encryption key "${keyId}", which is not in ENCRYPTION_KEYS`,
      );
    }
    const bytes = Buffer.from(sealed, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(nonce, 'base64url'), {
        authTagLength: 16,
      })
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SecretUnreadableError(`A stored secret does not open with the encryption key "${keyId}"`, { cause });
    }
  }
}
