import type { DiagnosticsReport } from '../diagnostics/report.ts';
import { REQUIRED_PERMISSIONS } from '../microsoft-app/permissions.ts';
import type { CheckStatus, Verification } from '../verification/checklist.ts';

/** What is known of the set-up by having looked at it. */
export interface Findings {
  verification: Verification | null;
  diagnosis: DiagnosticsReport | null;
}

/** From good to bad; what was skipped says nothing. */
const SEVERITY: Record<CheckStatus, number> = { SKIP: 0, PASS: 1, WARN: 2, FAIL: 3 };

function worst(statuses: readonly CheckStatus[]): CheckStatus {
  return statuses.reduce<CheckStatus>((bad, status) => (SEVERITY[status] > SEVERITY[bad] ? status : bad), 'SKIP');
}

interface Look {
  ranAt: Date;
  steps: readonly { name: string; status: CheckStatus }[];
}

/** The diagnosis and the verification, the newer one first. */
function newestFirst({ verification, diagnosis }: Findings): Look[] {
  const looks: Look[] = [];
  if (verification !== null) looks.push({ ranAt: verification.ranAt, steps: verification.checks });
  if (diagnosis !== null) looks.push(diagnosis);
  return looks.sort((a, b) => b.ranAt.getTime() - a.ranAt.getTime());
}

/** A diagnosis says of a check that it asked Microsoft. */
const checkOf = (stepName: string) => stepName.replace(/^microsoft-/, '');

/**
 * What the newest look that saw any of these checks says: the worst of them. `SKIP` where none was looked at, or where
 * the newest look could not get to them.
 *
 * @param names of the checks of a verification
 */
export function statusOf(findings: Findings, names: readonly string[]): CheckStatus {
  const wanted = new Set(names);
  for (const { steps } of newestFirst(findings)) {
    const seen = steps.filter(({ name }) => wanted.has(checkOf(name)));
    if (seen.length > 0) return worst(seen.map(({ status }) => status));
  }
  return 'SKIP';
}

/** Whether the token has what is needed, by the newer of verification and diagnosis. */
export function permissionStatus(findings: Findings): CheckStatus {
  const { verification, diagnosis } = findings;
  const isDiagnosed = diagnosis !== null && (verification === null || diagnosis.ranAt > verification.ranAt);
  const told = statusOf(isDiagnosed ? { ...findings, verification: null } : findings, ['roles', 'permissions']);
  if (told !== 'SKIP' || !isDiagnosed) return told;
  const required = diagnosis.permissions.filter(({ name }) =>
    REQUIRED_PERMISSIONS.some((known) => known.name === name),
  );
  if (required.length === 0 || required.some(({ grantedInToken }) => grantedInToken === null)) return 'SKIP';
  return required.every(({ grantedInToken }) => grantedInToken) ? 'PASS' : 'FAIL';
}
