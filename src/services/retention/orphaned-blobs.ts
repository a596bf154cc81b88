import type { BlobStore } from '../../blobs/blob-store.ts';
import { wellFormedIds } from '../meetings/meeting-reads.ts';
import { blobPrefix } from '../recordings/blob-key.ts';
import type { Scope, ServiceTools } from '../scope.ts';

/** Younger ones may be on their way to their row. */
const OLD_MS = 24 * 3_600_000;
const AT_ONCE = 200;

/**
 * Deletes the tenant's blobs whose recording is not known any more: what a crash between the two left behind. What has
 * no id of a recording for a name is not ours and stays.
 *
 * @returns how many there were
 */
export async function deleteOrphanedBlobs(
  scope: Scope,
  blobs: BlobStore,
  tools: Pick<ServiceTools, 'clock' | 'logger'>,
): Promise<number> {
  const prefix = blobPrefix(scope.db.tenantId);
  const before = tools.clock().getTime() - OLD_MS;
  let deleted = 0;

  const deleteUnknown = async (ids: readonly string[]) => {
    const rows = await scope.db.run((prisma) =>
      prisma.meetingRecording.findMany({ where: { id: { in: [...ids] } }, select: { id: true } }),
    );
    const known = new Set(rows.map(({ id }) => id));
    for (const id of ids.filter((one) => !known.has(one))) {
      await blobs.delete(`${prefix}${id}`);
      deleted += 1;
      tools.logger.warn(
        { tenantId: scope.db.tenantId, recordingId: id },
        '[TeamsMeetings] operation=retention a blob without a recording was deleted',
      );
    }
  };

  let ids: string[] = [];
  for await (const { key, modifiedAt } of blobs.list(prefix)) {
    if (modifiedAt.getTime() < before) ids.push(...wellFormedIds([key.slice(prefix.length)]));
    if (ids.length < AT_ONCE) continue;
    await deleteUnknown(ids);
    ids = [];
  }
  if (ids.length > 0) await deleteUnknown(ids);
  return deleted;
}
