import type { AlgaArtifact, AlgaIntegration, AlgaMeeting, AlgaSource } from '../../db/alga-source.ts';
import type { TenantPrisma } from '../../db/database.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { appendAudit } from '../audit/audit.ts';
import { planSweep } from '../meetings/planned-jobs.ts';
import { leftInHome } from '../microsoft-app/home.ts';
import type { Scope, ServiceTools } from '../scope.ts';
import { holdSetUp } from '../settings/lock-set-up.ts';
import { type AdoptedBatch, adoptMeetings, type Incoming } from './adopt-meetings.ts';
import { adoptSettings, type SettingsOutcome } from './adopt-settings.ts';
import type { AppointmentIdSource, MappingOptions } from './alga-meeting.ts';
import { homeOf } from './alga-settings.ts';
import { type Finding, type FindingCode, finding } from './findings.ts';
import { sortOut } from './sort-out.ts';

export interface AdoptionOptions {
  appointmentId: AppointmentIdSource;
  /** Does everything and takes it back. */
  isDryRun: boolean;
  /** Whether this installation has a store for copies of recordings. */
  canStoreRecordings: boolean;
  /** Ends the import after the batch at hand; what was taken stays. */
  signal?: AbortSignal;
  /** Meetings in one transaction; default 100. */
  batchSize?: number;
}

export interface AdoptionProgress {
  /** Rows of the source that were dealt with. */
  meetings(count: number): void;
  found(findings: readonly Finding[]): void;
}

/** What became of a tenant of the source. */
export interface AdoptedTenant {
  tenantId: string;
  settings: SettingsOutcome;
  meetings: { read: number; taken: number; changed: number; unchanged: number; notTaken: number };
  recordings: { read: number; taken: number };
  /** Left to the capture, which fetches their text from Microsoft. */
  transcripts: { read: number };
}

/** Takes over one tenant of an alga-psa database; what was taken over before and has not changed is left alone. */
export type AdoptTenant = (
  scope: Scope,
  source: AlgaSource,
  options: AdoptionOptions,
  progress: AdoptionProgress,
) => Promise<AdoptedTenant>;

const BATCH_SIZE = 100;

/** Undoes the transaction of a dry run, and carries out of it what would have become of it. */
class TakenBack<T> extends Error {
  readonly result: T;
  constructor(result: T) {
    super('A dry run');
    this.result = result;
  }
}

export function makeAdoptTenant(tools: Pick<ServiceTools, 'clock' | 'newId'>): AdoptTenant {
  async function store<T>(scope: Scope, isDryRun: boolean, work: (prisma: TenantPrisma) => Promise<T>): Promise<T> {
    const attempt = async () => {
      try {
        return await scope.db.transaction(async (prisma) => {
          const result = await work(prisma);
          if (isDryRun) throw new TakenBack(result);
          return result;
        });
      } catch (error) {
        if (error instanceof TakenBack) return error.result as T;
        throw error;
      }
    };
    try {
      return await attempt();
    } catch (error) {
      // Somebody has made a meeting for one of the appointments at this moment: then it is seen the second time.
      if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') throw error;
      return attempt();
    }
  }

  return async (scope, source, options, progress) => {
    const { tenantId } = scope.db;
    const integration = await source.integration(tenantId);
    const adopted: AdoptedTenant = {
      tenantId,
      settings: 'none',
      meetings: { read: 0, taken: 0, changed: 0, unchanged: 0, notTaken: 0 },
      recordings: { read: 0, taken: 0 },
      transcripts: { read: 0 },
    };
    if (integration !== null) {
      const { outcome, findings } = await store(scope, options.isDryRun, (prisma) =>
        adoptSettings(prisma, tools, tenantId, { integration, canStoreRecordings: options.canStoreRecordings }),
      );
      adopted.settings = outcome;
      progress.found(findings);
    }
    const mapping = await mappingOf(source, tenantId, integration, options, tools.clock());
    const released = new Set<string>();
    for await (const rows of batchesOf(source, tenantId, options.batchSize ?? BATCH_SIZE)) {
      const sorted = await sortOut(scope, source, rows, mapping);
      const artifacts = await source.artifacts(
        tenantId,
        rows.map(({ id }) => id),
      );
      const batch = await store(scope, options.isDryRun, async (prisma) => {
        await holdSetUp(prisma);
        const home = integration && homeOf(integration);
        const leftIn = home && (await leftInHome(prisma, home));
        const stored = await adoptMeetings(prisma, tools, { incoming: sorted.incoming, artifacts, leftIn, released });
        if (stored.taken.length > 0) await planSweep(prisma);
        return stored;
      });
      if (options.isDryRun) for (const id of batch.released) released.add(id);
      count(adopted, rows, batch, artifacts);
      progress.found([
        ...sorted.refused.map(({ row, code, detail }) => refusal(tenantId, row, artifacts, code, detail)),
        ...findingsOf(tenantId, sorted.incoming, batch, artifacts),
      ]);
      progress.meetings(rows.length);
      if (options.signal?.aborted === true) break;
    }

    const stray = await source.countStrayArtifacts(tenantId);
    if (stray > 0) progress.found([finding(tenantId, 'artifact', null, 'ARTIFACT_OF_NOTHING', { count: stray })]);
    await store(scope, options.isDryRun, (prisma) =>
      appendAudit(prisma, tools, scope.viewer, {
        operation: 'import',
        outcome: options.signal?.aborted === true ? 'interrupted' : 'success',
        detail: { settings: adopted.settings, ...adopted.meetings, recordings: adopted.recordings.taken },
      }),
    );
    return adopted;
  };
}

/**
 * A tenant's meetings, those first that are cancelled: where alga-psa cancelled one and booked its appointment again, the
 * appointment is free by the time the new one comes.
 */
async function* batchesOf(source: AlgaSource, tenantId: string, limit: number): AsyncGenerator<AlgaMeeting[]> {
  for (const areCancelled of [true, false]) {
    let after: string | null = null;
    let rows: AlgaMeeting[];
    do {
      rows = await source.meetings(tenantId, { areCancelled, after, limit });
      after = rows.at(-1)?.id ?? null;
      if (rows.length > 0) yield rows;
    } while (rows.length === limit);
  }
}

async function mappingOf(
  source: AlgaSource,
  tenantId: string,
  integration: AlgaIntegration | null,
  { appointmentId }: AdoptionOptions,
  now: Date,
): Promise<MappingOptions> {
  const organizerIds = await source.organizerIds(tenantId);
  const { organizerUpn, organizerObjectId } = integration ?? { organizerUpn: null, organizerObjectId: null };
  if (organizerUpn !== null && organizerObjectId !== null)
    organizerIds.set(organizerUpn.trim().toLowerCase(), organizerObjectId.toLowerCase());
  return { appointmentId, organizerIds, sendsInvites: integration?.sendMeetingInvites ?? true, now };
}

/** Tells of a meeting that was not taken what a person needs to find it in the source and in the organizer's calendar. */
function refusal(
  tenantId: string,
  { id, status, organizerUpn, eventId, startsAt }: AlgaMeeting,
  artifacts: readonly AlgaArtifact[],
  code: FindingCode,
  detail: Record<string, string> = {},
): Finding {
  return finding(tenantId, 'meeting', id, code, {
    status,
    startsAt: startsAt.toISOString(),
    ...(organizerUpn === null ? {} : { organizer: organizerUpn }),
    ...(eventId === null ? {} : { eventId }),
    artifacts: artifacts.filter(({ meetingId }) => meetingId === id).length,
    ...detail,
  });
}

function findingsOf(
  tenantId: string,
  incoming: readonly Incoming[],
  batch: AdoptedBatch,
  artifacts: readonly AlgaArtifact[],
): Finding[] {
  const refused = new Map(batch.refused.map(({ id, code }) => [id, code]));
  const ofMeetings = incoming.flatMap(({ row, notes }) => {
    const code = refused.get(row.id);
    if (code !== undefined) return [refusal(tenantId, row, artifacts, code)];
    return notes.map((note) => finding(tenantId, 'meeting', row.id, note));
  });
  const ofArtifacts = artifacts.flatMap(({ id, meetingId, type, isStored }) => {
    if (type !== 'recording' && type !== 'transcript')
      return [finding(tenantId, 'artifact', id, 'UNKNOWN_ARTIFACT', { meetingId })];
    return isStored ? [finding(tenantId, 'artifact', id, 'STORED_THERE', { meetingId })] : [];
  });
  return [...ofMeetings, ...ofArtifacts];
}

function count(
  adopted: AdoptedTenant,
  rows: readonly AlgaMeeting[],
  batch: AdoptedBatch,
  artifacts: readonly AlgaArtifact[],
) {
  const { meetings, recordings, transcripts } = adopted;
  meetings.read += rows.length;
  meetings.taken += batch.taken.length;
  meetings.changed += batch.changed.length;
  meetings.unchanged += batch.unchanged.length;
  meetings.notTaken += rows.length - batch.taken.length - batch.changed.length - batch.unchanged.length;
  recordings.read += artifacts.filter(({ type }) => type === 'recording').length;
  recordings.taken += batch.newRecordings;
  transcripts.read += artifacts.filter(({ type }) => type === 'transcript').length;
}
