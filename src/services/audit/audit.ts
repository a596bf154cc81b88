import type { TenantPrisma } from '../../db/database.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import type { ServiceTools } from '../scope.ts';
import type { Viewer } from '../viewer.ts';

export interface AuditEntry {
  operation: string;
  outcome: string;
  meetingId?: string;
  /** Names and ids only; never a secret, a token or a join link. */
  detail?: Prisma.InputJsonObject;
}

/** How a viewer is named in the audit trail. */
export function actorOf(viewer: Viewer): string {
  return `${viewer.kind}:${viewer.id}`;
}

/** Appends to the audit trail; call it in the transaction whose change it tells of. */
export async function appendAudit(
  prisma: TenantPrisma,
  tools: Pick<ServiceTools, 'clock' | 'newId'>,
  viewer: Viewer,
  entry: AuditEntry,
): Promise<void> {
  await prisma.auditEvent.create({
    data: {
      id: tools.newId(),
      actor: actorOf(viewer),
      operation: entry.operation,
      meetingId: entry.meetingId ?? null,
      outcome: entry.outcome,
      detail: entry.detail ?? {},
      at: tools.clock(),
    },
  });
}
