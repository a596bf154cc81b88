import type { GraphRequestError } from '../../graph/errors.ts';
import type { AppCredential } from '../../graph/types.ts';
import { invalid, type UserError } from '../failures.ts';
import { readCertificate } from './certificate.ts';

/** Either a secret, or a certificate with its key. */
export interface CredentialInput {
  clientSecret?: string | null;
  certificatePem?: string | null;
  privateKeyPem?: string | null;
}

/** A credential of which nothing can be said against before Microsoft is asked. */
export interface CheckedCredential {
  credential: AppCredential;
  hint: string;
  expiresAt: Date | null;
}

export const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
export const DOMAIN = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

/** Takes the one credential out of the input. @returns what is wrong with it, at the input that is meant */
export function checkCredential(input: CredentialInput, now: Date): CheckedCredential | UserError {
  const { clientSecret, certificatePem, privateKeyPem } = input;
  const hasCertificate = Boolean(certificatePem) || Boolean(privateKeyPem);
  if (Boolean(clientSecret) === hasCertificate) {
    return invalid(['input', 'clientSecret'], 'Give either a client secret, or a certificate with its private key.');
  }
  if (clientSecret) {
    if (GUID.test(clientSecret)) {
      return invalid(
        ['input', 'clientSecret'],
        'This looks like the id of a client secret, not its value.',
        'Copy the column “Value” in Entra; it is shown only once.',
      );
    }
    return {
      credential: { kind: 'CLIENT_SECRET', clientSecret },
      hint: `${clientSecret.slice(0, 3)}…`,
      expiresAt: null,
    };
  }
  if (!certificatePem) return invalid(['input', 'certificatePem'], 'The certificate is missing.');
  if (!privateKeyPem) return invalid(['input', 'privateKeyPem'], 'The private key of the certificate is missing.');
  const facts = readCertificate(certificatePem, privateKeyPem, now);
  if ('code' in facts) return facts;
  return {
    credential: { kind: 'CERTIFICATE', certificatePem, privateKeyPem },
    hint: facts.hint,
    expiresAt: facts.expiresAt,
  };
}

/** Which input a rejected token request points at, so that the three usual mistakes are told apart. */
export function rejectedInput(error: GraphRequestError, credential: AppCredential): string[] {
  if (error.kind === 'APP_NOT_FOUND') return ['input', 'clientId'];
  if (error.kind === 'DIRECTORY_NOT_FOUND') return ['input', 'directoryId'];
  return ['input', credential.kind === 'CERTIFICATE' ? 'certificatePem' : 'clientSecret'];
}
