import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { invalid, type UserError } from '../failures.ts';

export interface CertificateFacts {
  /** The first bytes of the SHA-256 thumbprint, as a person compares them with Entra's list. */
  hint: string;
  expiresAt: Date;
}

/** The clock of whoever made the certificate may be ahead of ours by so much. */
const SKEW_MS = 5 * 60_000;

/**
 * Reads a certificate and its key and makes sure that they belong together, are valid at `now`, and are of the kind that
 * Entra takes: RSA (Microsoft Learn: "Certificate credentials").
 */
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
      return invalid(
        ['input', 'privateKeyPem'],
        'The private key does not belong to the certificate.',
        'Paste the key that the certificate was made with; a new key needs a new certificate.',
      );
  } catch {
    return invalid(
      ['input', 'privateKeyPem'],
      'The private key is not an unencrypted PEM private key.',
      'Paste the text from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----; decrypt it first if it has a passphrase.',
    );
  }
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') {
    return invalid(
      ['input', 'certificatePem'],
      'The certificate has no RSA key, and Microsoft Entra takes no other for an app.',
      'Make a certificate with an RSA key of at least 2048 bits and upload it to the app registration.',
    );
  }
  const validFrom = new Date(certificate.validFrom);
  if (validFrom.getTime() > now.getTime() + SKEW_MS) {
    return invalid(
      ['input', 'certificatePem'],
      `The certificate is not valid before ${validFrom.toISOString()}.`,
      'Use one that is valid today, or compare the clock of the server that runs the subgraph.',
    );
  }
  const expiresAt = new Date(certificate.validTo);
  if (expiresAt <= now)
    return invalid(
      ['input', 'certificatePem'],
      `The certificate expired on ${expiresAt.toISOString()}.`,
      'Make a new one, upload it under “Certificates & secrets” of the app registration, and connect it here.',
    );
  return { hint: certificate.fingerprint256.slice(0, 11), expiresAt };
}
