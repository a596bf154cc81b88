import { createDiagnosticsService } from '../../../src/services/diagnostics/diagnostics.ts';
import type { Finding } from '../../../src/services/diagnostics/finding.ts';
import type { Look } from '../../../src/services/diagnostics/look.ts';
import type { DiagnosticsStep } from '../../../src/services/diagnostics/report.ts';
import { scopeOf, subgraph, tools } from './diagnosing.ts';

export const pass = (detail: string): Finding => ({ status: 'PASS', detail, remedy: null });
export const look = (name: string, work: Look['look'], limitMs = 5_000): Look => ({
  name,
  title: `The ${name}`,
  limitMs,
  look: work,
});
export const serviceOf = (looks: Look[]) =>
  createDiagnosticsService(
    { looks, microsoftApp: subgraph.services.microsoftApp, settings: subgraph.services.settings },
    tools(),
  );
export const run = async (looks: Look[], onStep?: (step: DiagnosticsStep) => void) => {
  const { report } = await serviceOf(looks).run(scopeOf(), onStep);
  if (report === null) throw new Error('no report');
  return report;
};
