import type { TenantPrisma } from '../../db/database.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { Scope } from '../scope.ts';
import type { Verification } from './checklist.ts';
import type { KnownTranscript } from './probe-teams.ts';

/** So many results of a tenant are kept. */
const KEPT_VERIFICATIONS = 50;

// Only `keep` writes these columns, from the same type.
const toVerification = ({ outcome, checks, ranAt }: { outcome: string; checks: unknown; ranAt: Date }) =>
  ({ outcome, checks, ranAt }) as Verification;

/** A verification by the id of its run; null when it has not ended or broke off, or is of another app or organizer. */
export async function findVerification(scope: Scope, id: string, setUp: string): Promise<Verification | null> {
  const row = await scope.db.run((prisma) => prisma.organizerVerification.findFirst({ where: { id, setUp } }));
  return row === null ? null : toVerification(row);
}

/** Stores a result and lets go of the oldest ones. */
export async function keepVerification(
  prisma: TenantPrisma,
  { id, setUp }: { id: string; setUp: string },
  verification: Verification,
): Promise<void> {
  const { outcome, ranAt } = verification;
  const checks = verification.checks.map((check): Prisma.InputJsonObject => ({ ...check }));
  await prisma.organizerVerification.create({ data: { id, setUp, outcome, checks, ranAt } });
  const old = await prisma.organizerVerification.findMany({
    orderBy: [{ ranAt: 'desc' }, { id: 'desc' }],
    skip: KEPT_VERIFICATIONS,
    select: { id: true },
  });
  if (old.length > 0) {
    await prisma.organizerVerification.deleteMany({ where: { id: { in: old.map((row) => row.id) } } });
  }
}

/** Since when every verification of this app and organizer has missed the Teams policy; null when the last did not. */
export async function policyMissingSince(scope: Scope, setUp: string): Promise<Date | null> {
  const rows = await scope.db.run((prisma) =>
    prisma.organizerVerification.findMany({
      where: { setUp },
      orderBy: [{ ranAt: 'desc' }, { id: 'desc' }],
      take: KEPT_VERIFICATIONS,
    }),
  );
  let since: Date | null = null;
  for (const { checks, ranAt } of rows.map(toVerification)) {
    const policy = checks.find(({ name }) => name === 'policy');
    if (policy?.status === 'PASS') break;
    if (policy?.status === 'FAIL' && policy.outcome === 'POLICY_MISSING') since = ranAt;
  }
  return since;
}

/** The newest transcript that is stored of the organizer's meetings. */
export async function newestTranscript(scope: Scope, organizerObjectId: string): Promise<KnownTranscript | null> {
  const row = await scope.db.run((prisma) =>
    prisma.meetingTranscript.findFirst({
      where: { meeting: { organizerObjectId, graphOnlineMeetingId: { not: null } } },
      orderBy: { createdAt: 'desc' },
      select: { graphTranscriptId: true, meeting: { select: { graphOnlineMeetingId: true } } },
    }),
  );
  const onlineMeetingId = row?.meeting.graphOnlineMeetingId ?? null;
  return row === null || onlineMeetingId === null ? null : { onlineMeetingId, transcriptId: row.graphTranscriptId };
}
