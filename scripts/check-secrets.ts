import { type Finding, matches, report, type SourceFile, trackedFiles } from './findings.ts';

const SECRETS: Record<string, RegExp> = {
  // With key material after the header, so that code which merely names the header passes.
  'private key': /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\\[nr]|[\s'"`+,])*[A-Za-z0-9+/]{24}/g,
  // The shortest signature in use, HMAC with SHA-256, has 43 characters.
  'JSON Web Token': /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{43,}/g,
  'AWS access key': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  'AWS secret key': /\baws_secret_access_key["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40}/gi,
  'webhook secret': /\bwhsec_[A-Za-z0-9+/]{24,}/g,
  'client secret of Microsoft Entra': /(?<![\w.~-])[\w.~-]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])/g,
  'GitHub token': /\bgh[opsur]_[A-Za-z0-9]{36}/g,
};

const ENV_FILE = /(?:^|\/)\.env(?:\.(?!example$)[^/]*)?$/;

/** Finds what looks like a secret, and files that hold environments (`.env.example` is allowed). */
export function findSecrets(file: SourceFile): Finding[] {
  const findings = Object.entries(SECRETS).flatMap(([kind, shape]) => matches(file, shape, kind));
  if (ENV_FILE.test(file.path)) findings.push({ file: file.path, line: 1, message: 'environment file' });
  return findings;
}

if (import.meta.main) report('check-secrets', trackedFiles().flatMap(findSecrets));
