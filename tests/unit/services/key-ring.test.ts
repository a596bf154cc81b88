import { describe, expect, it } from 'vitest';
import { KeyRing, SecretUnreadableError } from '../../../src/services/microsoft-app/key-ring.ts';

const key = (id: string, fill: number) => ({ id, bytes: Buffer.alloc(32, fill) });
const [OLD, NEW] = [key('old', 1), key('new', 2)];

describe('a key ring', () => {
  it.each(['s3cret', '', 'ключ 🔑', 'x'.repeat(10_000)])('reads what it encrypted', (secret) => {
    const ring = new KeyRing([OLD]);
    expect(ring.decrypt(ring.encrypt(secret, 'tenant-a'), 'tenant-a')).toBe(secret);
  });

  it('never writes the same text twice, and never the secret itself', () => {
    const ring = new KeyRing([OLD]);
    const [one, two] = [ring.encrypt('s3cret', 'tenant-a'), ring.encrypt('s3cret', 'tenant-a')];
    expect(one).not.toBe(two);
    expect(one).not.toContain('s3cret');
    expect(one).toMatch(/^v1:old:[\w-]{16}:[\w-]+$/);
  });

  it('reads old secrets after a rotation and writes new ones with the first key', () => {
    const old = new KeyRing([OLD]).encrypt('s3cret', 'tenant-a');
    const rotated = new KeyRing([NEW, OLD]);
    expect(rotated.decrypt(old, 'tenant-a')).toBe('s3cret');
    expect(rotated.encrypt('s3cret', 'tenant-a')).toMatch(/^v1:new:/);
  });

  it('does not open a secret that was copied to another tenant', () => {
    const ring = new KeyRing([OLD]);
    const sealed = ring.encrypt('s3cret', 'tenant-a');
    expect(() => ring.decrypt(sealed, 'tenant-b')).toThrow(SecretUnreadableError);
  });

  it('does not open a secret of which any byte was changed', () => {
    const ring = new KeyRing([OLD]);
    const [version = '', id = '', nonce = '', body = ''] = ring.encrypt('s3cret', 'tenant-a').split(':');
    const flipped = (text: string, at: number) => {
      const bytes = Buffer.from(text, 'base64url');
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      return bytes.toString('base64url');
    };
    for (let at = 0; at < 12; at += 1)
      expect(() => ring.decrypt([version, id, flipped(nonce, at), body].join(':'), 'tenant-a')).toThrow(
        SecretUnreadableError,
      );
    for (let at = 0; at < 22; at += 1)
      expect(() => ring.decrypt([version, id, nonce, flipped(body, at)].join(':'), 'tenant-a')).toThrow(
        SecretUnreadableError,
      );
  });

  it('does not take another key of the same name', () => {
    const sealed = new KeyRing([OLD]).encrypt('s3cret', 'tenant-a');
    expect(() => new KeyRing([{ ...NEW, id: 'old' }]).decrypt(sealed, 'tenant-a')).toThrow(
      'does not open with the encryption key "old"',
    );
  });

  it('names the key that is gone', () => {
    const sealed = new KeyRing([OLD]).encrypt('s3cret', 'tenant-a');
    expect(() => new KeyRing([NEW]).decrypt(sealed, 'tenant-a')).toThrow(
      'needs the encryption key "old", which is not in ENCRYPTION_KEYS',
    );
  });

  it.each([
    '',
    'v1',
    'v1:old',
    'v1:old:abc',
    'v2:old:AAAAAAAAAAAAAAAA:AAAA',
    'v1:old::',
    'v1:old:AAAA:AAAA',
    'v1:old:AAAAAAAAAAAAAAAA:',
  ])('refuses the malformed text "%s"', (text) => {
    expect(() => new KeyRing([OLD]).decrypt(text, 'tenant-a')).toThrow(SecretUnreadableError);
  });

  it('needs a key', () => {
    expect(() => new KeyRing([])).toThrow('at least one key');
  });
});
