import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { invalid, type UserError } from '../failures.ts';

export interface CertificateFacts {
  /** The first bytes of the SHA-256 thumbprint, as a person compares them with Entra's list. */
  hint: string;
  expiresAt: Date;
}

/** Reads a certificate and its key and makes sure that they belong together and are valid at `now`. */
export function readCertificate(
  certificatePem: string,
  privateKeyPem: string,
  now: Date,
): CertificateFacts | UserError {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(certificatePem);
  } catch {
    return invalid(
      ['input', 'certificatePem'],
      'The certificate is not a PEM certificate.',
      'Paste the text from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.',
    );
  }
  try {
    const ours = createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'der' });
    const theirs = certificate.publicKey.export({ type: 'spki', format: 'der' });
    if (!ours.equals(theirs))
      return invalid(['input', 'privateKeyPem'], 'The private key does not belong to the certificate.');
  } catch {
    return invalid(['input', 'privateKeyPem'], 'The private key is not an unencrypted PEM private key.');
  }
  const expiresAt = new Date(certificate.validTo);
  if (expiresAt <= now)
    return invalid(['input', 'certificatePem'], `The certificate expired on ${expiresAt.toISOString()}.`);
  return { hint: certificate.fingerprint256.slice(0, 11), expiresAt };
}
