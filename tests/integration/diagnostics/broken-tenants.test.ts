import { describe, expect, it } from 'vitest';
import { BROKEN_TENANTS, repairTenant } from '../../support/broken-tenants.ts';
import { diagnose, namesOf, stepOf, subgraph, useDiagnosing } from './diagnosing.ts';

useDiagnosing();

/** What is only seen by making something at Microsoft, or with a second mailbox, a diagnosis cannot find. */
const UNSEEN = new Set(['meeting', 'webhook', 'mailbox-outside']);

/** How a check of the verification is called here. */
function stepNameOf(check: string): string {
  return check === 'roles' ? 'permissions' : `microsoft-${check}`;
}

/** The warnings that are told in other words: a certificate’s end by its own step, RBAC for Applications as no warning. */
function expectedWarnings(warning: string[], failing: string[]): string[] {
  return warning.flatMap((check) => {
    if (UNSEEN.has(check)) return [];
    if (check === 'secret') return ['credential-expiry'];
    return check === 'roles' && failing.includes('exchange-scope') ? [] : [stepNameOf(check)];
  });
}

describe.each(BROKEN_TENANTS)('$name', (broken) => {
  it('is named by the diagnosis with its remedy, and nothing else is red', async () => {
    await broken.break(subgraph);
    const report = await diagnose();
    await repairTenant(subgraph);
    const failing = broken.failing.filter((check) => !UNSEEN.has(check)).map(stepNameOf);
    expect({ red: namesOf(report, 'FAIL'), yellow: namesOf(report, 'WARN') }).toEqual({
      red: failing,
      yellow: expectedWarnings(broken.warning, broken.failing),
    });
    const [first] = failing;
    if (first === undefined) return;
    const { detail, remedy } = stepOf(report, first);
    expect(detail).toMatch(first === 'permissions' ? /^The token lacks: / : broken.detail);
    expect(remedy).toMatch(broken.remedy);
    expect(remedy).toContain(report.recommendations[0] ?? 'nothing was recommended');
  });
});
