import type { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { todaysSetUp } from '../settings/todays-set-up.ts';
import type { DiagnosticsReport } from './report.ts';

/** How many reports of a tenant are kept. */
const KEEP = 20;
const NEWEST_FIRST = [{ ranAt: 'desc' }, { id: 'desc' }] satisfies Prisma.DiagnosticsReportOrderByWithRelationInput[];

/**
 * Stores a report with its entry in the audit trail, and forgets the tenant's oldest ones.
 * @param setUp the app and organizer that it is about
 */
export function storeReport(
  scope: Scope,
  setUp: string,
  report: DiagnosticsReport,
  tools: ServiceTools,
): Promise<void> {
  const { overall, steps, permissions, recommendations, ranAt } = report;
  const counts = { PASS: 0, WARN: 0, FAIL: 0, SKIP: 0 };
  for (const { status } of steps) counts[status] += 1;
  return scope.db.transaction(async (prisma) => {
    await prisma.diagnosticsReport.create({
      data: {
        id: tools.newId(),
        setUp,
        overall,
        steps: steps.map((step) => ({ ...step })),
        permissions: permissions.map((permission) => ({ ...permission })),
        recommendations,
        ranAt,
      },
    });
    const old = await prisma.diagnosticsReport.findMany({ orderBy: NEWEST_FIRST, skip: KEEP, select: { id: true } });
    await prisma.diagnosticsReport.deleteMany({ where: { id: { in: old.map(({ id }) => id) } } });
    await appendAudit(prisma, tools, scope.viewer, { operation: 'diagnose', outcome: overall, detail: counts });
  });
}

/** The latest report of today's app and organizer; null until there is one. */
export async function latestReport(scope: Scope): Promise<DiagnosticsReport | null> {
  const row = await scope.db.run(async (prisma) =>
    prisma.diagnosticsReport.findFirst({ where: { setUp: await todaysSetUp(prisma) }, orderBy: NEWEST_FIRST }),
  );
  // Only storeReport writes these columns, from the same type.
  return row as unknown as DiagnosticsReport | null;
}
