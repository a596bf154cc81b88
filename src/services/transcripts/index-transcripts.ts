import type { TenantPrisma } from '../../db/database.ts';
import { addJob } from '../../db/job-queue.ts';
import type { Prisma } from '../../generated/prisma/client.ts';
import { DatabaseUnavailableError, type Scope, type ServiceTools } from '../scope.ts';
import { deriveFrom, storePassages, tellUnparsed, wantedConfiguration } from './store-transcript.ts';

/** Brings stored transcripts to the state in which they are searched. Plans itself again while some are left. */
export type IndexTranscripts = (scope: Scope) => Promise<void>;

/** A run ends well before the time limit of a job. */
const RUN_MS = 20_000;
const RUN_TRANSCRIPTS = 500;

/** Those of which nothing is derived yet, as an earlier release stored them, and those of another language. */
function notYet(configuration: string): Prisma.MeetingTranscriptWhereInput {
  return { OR: [{ indexedAs: null }, { indexedAs: { not: configuration } }] };
}

/** The job that indexes the tenant's transcripts; in the transaction that changes how they are indexed. */
function planIndexing(prisma: TenantPrisma): Promise<void> {
  return addJob(prisma, 'index_transcripts', {}, { key: 'all', serial: 'all', keepTime: true });
}

/** Plans the job if any transcript needs it. */
export async function planIndexingIfNeeded(prisma: TenantPrisma): Promise<void> {
  const where = notYet(await wantedConfiguration(prisma));
  if ((await prisma.meetingTranscript.findFirst({ where, select: { id: true } })) !== null) await planIndexing(prisma);
}

/** Makes the job `index_transcripts`. A transcript that cannot be indexed holds up no other one. */
export function makeIndexTranscripts(tools: ServiceTools): IndexTranscripts {
  const findNext = (scope: Scope, after: string | undefined) =>
    scope.db.run(async (prisma) => {
      const where = notYet(await wantedConfiguration(prisma));
      return prisma.meetingTranscript.findFirst({
        where: after === undefined ? where : { AND: [where, { id: { gt: after } }] },
        orderBy: { id: 'asc' },
        select: { id: true, meetingId: true, indexedAs: true },
      });
    });

  async function index(prisma: TenantPrisma, next: NonNullable<Awaited<ReturnType<typeof findNext>>>): Promise<void> {
    const { id: transcriptId, meetingId } = next;
    const indexedAs = await wantedConfiguration(prisma);
    if (next.indexedAs !== null) {
      await prisma.transcriptPassage.updateMany({ where: { transcriptId }, data: { indexedAs } });
      await prisma.meetingTranscript.updateMany({ where: { id: transcriptId }, data: { indexedAs } });
      return;
    }
    const row = await prisma.meetingTranscript.findFirst({ where: { id: transcriptId }, select: { vtt: true } });
    if (row === null) return;
    const { facts, passages } = deriveFrom(row.vtt);
    await prisma.transcriptPassage.deleteMany({ where: { transcriptId } });
    await storePassages(prisma, next, passages, indexedAs);
    await prisma.meetingTranscript.updateMany({ where: { id: transcriptId }, data: { ...facts, indexedAs } });
    tellUnparsed(tools, { meetingId, transcriptId }, facts);
  }

  return async (scope) => {
    const began = tools.clock().getTime();
    const { tenantId } = scope.db;
    let after: string | undefined;
    let indexed = 0;
    let failed = 0;
    while (indexed + failed < RUN_TRANSCRIPTS && tools.clock().getTime() - began < RUN_MS) {
      const next = await findNext(scope, after);
      if (next === null) break;
      after = next.id;
      try {
        await scope.db.transaction((prisma) => index(prisma, next));
        indexed += 1;
      } catch (error) {
        if (error instanceof DatabaseUnavailableError) throw error;
        failed += 1;
        // The name alone: what the database says of a row may quote it.
        const fields = { tenantId, meetingId: next.meetingId, transcriptId: next.id, error: nameOf(error) };
        tools.logger.error(fields, '[TeamsMeetings] operation=index a transcript could not be indexed');
      }
    }
    if (indexed + failed === 0) return;
    const outcome = failed === 0 ? 'success' : 'failure';
    const durationMs = tools.clock().getTime() - began;
    tools.logger.info({ tenantId, outcome, indexed, failed, durationMs }, '[TeamsMeetings] operation=index');
    // Those that failed are left to the next sweep: tried again at once they would keep a worker busy for ever.
    if (indexed > 0) await scope.db.transaction(planIndexingIfNeeded);
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
