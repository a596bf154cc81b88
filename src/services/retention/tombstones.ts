import type { TenantPrisma } from '../../db/database.ts';

export type ArtifactKind = 'RECORDING' | 'TRANSCRIPT';

/**
 * What retention has deleted must not come back with the next capture: whoever stores recordings or transcripts asks
 * here first. One statement for any number of meetings.
 */
export function buriedOf(
  prisma: TenantPrisma,
  meetingIds: readonly string[],
): Promise<{ meetingId: string; kind: string; graphId: string }[]> {
  return prisma.artifactTombstone.findMany({
    where: { meetingId: { in: [...meetingIds] } },
    select: { meetingId: true, kind: true, graphId: true },
  });
}

/** Notes that artifacts are deleted; call it in the transaction that deletes their rows. */
export async function bury(
  prisma: TenantPrisma,
  kind: ArtifactKind,
  artifacts: readonly { meetingId: string; graphId: string }[],
  now: Date,
): Promise<void> {
  await prisma.artifactTombstone.createMany({
    data: artifacts.map(({ meetingId, graphId }) => ({ meetingId, graphId, kind, deletedAt: now })),
    skipDuplicates: true,
  });
}
