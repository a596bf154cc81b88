import type { TenantPrisma } from '../../db/database.ts';

export type ArtifactKind = 'RECORDING' | 'TRANSCRIPT';

/** Whether a recording or transcript of a meeting, by Microsoft's id, was deleted by retention. */
export type IsBuried = (meetingId: string, graphId: string) => boolean;

/**
 * What retention has deleted must not come back with the next capture: whoever stores recordings or transcripts asks
 * here first. One statement for any number of meetings.
 */
export async function buried(
  prisma: TenantPrisma,
  kind: ArtifactKind,
  meetingIds: readonly string[],
): Promise<IsBuried> {
  const rows = await prisma.artifactTombstone.findMany({
    where: { kind, meetingId: { in: [...meetingIds] } },
    select: { meetingId: true, graphId: true },
  });
  const known = new Set(rows.map(({ meetingId, graphId }) => `${meetingId} ${graphId}`));
  return (meetingId, graphId) => known.has(`${meetingId} ${graphId}`);
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
