import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readCertificate } from '../../../src/services/microsoft-app/certificate.ts';
import { selfSignedCertificate } from '../graph/certificate.ts';

const { certificatePem, privateKeyPem } = selfSignedCertificate();
const NOW = new Date('2026-11-23T00:00:00Z');

describe('a certificate with its key', () => {
  it('is read, with the start of its thumbprint as the hint', () => {
    expect(readCertificate(certificatePem, privateKeyPem, NOW)).toEqual({
      hint: expect.stringMatching(/^([0-9A-F]{2}:){3}[0-9A-F]{2}$/),
      expiresAt: new Date('2049-12-31T23:59:59Z'),
    });
  });

  it.each([
    ['is not valid yet', { notBefore: '300101000000Z' }, /not valid before 2030-01-01/],
    ['has an elliptic key', { kind: 'ec' as const }, /no RSA key/],
  ])('is refused when it %s', (_, over, message) => {
    const wrong = selfSignedCertificate(over);
    expect(readCertificate(wrong.certificatePem, wrong.privateKeyPem, NOW)).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', 'certificatePem'],
      message: expect.stringMatching(message),
      remedy: expect.stringMatching(/\S/),
    });
  });

  it('made a moment ago by a clock that is a little ahead is taken', () => {
    const fresh = selfSignedCertificate({ notBefore: '261123000200Z' });
    expect(readCertificate(fresh.certificatePem, fresh.privateKeyPem, NOW)).toHaveProperty('expiresAt');
  });

  const otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  it.each<[string, string, string, Date, string, RegExp]>([
    ['text that is no certificate', 'hello', privateKeyPem, NOW, 'certificatePem', /not a PEM certificate/],
    ['a key in place of the certificate', privateKeyPem, privateKeyPem, NOW, 'certificatePem', /not a PEM certificate/],
    ['text that is no key', certificatePem, 'hello', NOW, 'privateKeyPem', /not an unencrypted PEM private key/],
    [
      'the certificate in place of the key',
      certificatePem,
      certificatePem,
      NOW,
      'privateKeyPem',
      /not an unencrypted PEM private key/,
    ],
    [
      'an encrypted key',
      certificatePem,
      otherKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString(),
      NOW,
      'privateKeyPem',
      /unencrypted/,
    ],
    [
      'another key',
      certificatePem,
      otherKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      NOW,
      'privateKeyPem',
      /does not belong/,
    ],
    [
      'an expired certificate',
      certificatePem,
      privateKeyPem,
      new Date('2050-01-01T00:00:00Z'),
      'certificatePem',
      /expired on 2049-12-31/,
    ],
  ])('is refused: %s', (_, certificate, privateKey, now, field, message) => {
    expect(readCertificate(certificate, privateKey, now)).toMatchObject({
      code: 'INVALID_INPUT',
      path: ['input', field],
      message: expect.stringMatching(message),
    });
  });
});
