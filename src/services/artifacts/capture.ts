import { addJob } from '../../db/job-queue.ts';
import type { GraphClient } from '../../graph/types.ts';
import type { Meeting } from '../meetings/meeting.ts';
import { CAPTURE_EVERY_MS, planCapture } from '../meetings/planned-jobs.ts';
import type { MicrosoftAppService } from '../microsoft-app/microsoft-app.ts';
import { DatabaseUnavailableError, type Scope, type ServiceTools } from '../scope.ts';
import type { SettingsService } from '../settings/settings.ts';
import type { CaptureStore } from './capture-store.ts';
import type { Look } from './look.ts';
import type { OrganizerChanges } from './organizer-changes.ts';

/** The background jobs that bring recordings and transcripts here by themselves. */
export interface Capture {
  /** Looks at every meeting of which a look is due, and once an hour over all of each organizer. Plans itself again. */
  tenant(scope: Scope): Promise<void>;
  /** Looks at a meeting of which Microsoft has told that something is there. @throws GraphRequestError that passes */
  onlineMeeting(scope: Scope, organizerId: string, onlineMeetingId: string): Promise<void>;
  /** Looks over all of an organizer now. @throws GraphRequestError */
  organizer(scope: Scope, organizerId: string): Promise<void>;
}

const HOUR_MS = 3_600_000;
/** Meetings taken at a time: two round trips, so that little is lost with a process and no lease runs out. */
const AT_ONCE = 20;
/**
 * Looks at once: some of them are busy with the database while the others keep the four places taken that an app has
 * in a mailbox. Their batches let all other calls go first, and each look holds a connection for moments only.
 */
const LOOKS_AT_ONCE = 4;
/** A job that has more to do after so long leaves it to the next one. */
const RUN_MS = 30_000;
/** Organizers of meetings that ended longer ago are not asked any more what is new. */
const ASKED_FOR_MS = 365 * 24 * HOUR_MS;

export function makeCapture(
  deps: {
    microsoftApp: MicrosoftAppService;
    settings: Pick<SettingsService, 'find'>;
    look: Look;
    captures: CaptureStore;
    changes: OrganizerChanges;
  },
  tools: ServiceTools,
): Capture {
  /** Null while the tenant is not active: then nothing is asked of Microsoft in the background. */
  async function activeGraph(scope: Scope): Promise<GraphClient | null> {
    const settings = await deps.settings.find(scope);
    return settings?.installStatus === 'ACTIVE' ? deps.microsoftApp.graphFor(scope) : null;
  }

  /**
   * The same for a job that names an organizer. Null also where nothing here is theirs in the directory that is connected
   * now: the job waited while another one was, and its ids are none of this one's business.
   */
  async function activeGraphFor(scope: Scope, organizerObjectId: string): Promise<GraphClient | null> {
    // First the client, then whose it is: an app that is connected in between is not given what was found before.
    const graph = await activeGraph(scope);
    const [settings, meetings] = await scope.db.run(async (prisma) => [
      await prisma.teamsIntegration.count({ where: { organizerObjectId } }),
      await prisma.onlineMeeting.count({ where: { organizerObjectId, leftIn: null }, take: 1 }),
    ]);
    return settings + meetings > 0 ? graph : null;
  }

  /** Organizers of meetings that are over, or nearly. */
  async function organizersOf(scope: Scope): Promise<string[]> {
    const now = tools.clock().getTime();
    const meetings = await scope.db.run((prisma) =>
      prisma.onlineMeeting.findMany({
        where: {
          organizerObjectId: { not: null },
          joinUrl: { not: null },
          leftIn: null,
          endsAt: { gt: new Date(now - ASKED_FOR_MS), lt: new Date(now + HOUR_MS) },
        },
        distinct: ['organizerObjectId'],
        select: { organizerObjectId: true },
      }),
    );
    return meetings.flatMap(({ organizerObjectId: id }) => id ?? []);
  }

  /** An error of ours with one organizer is told, and keeps no other organizer waiting. */
  async function lookAtTaken(scope: Scope, graph: GraphClient, taken: readonly Meeting[]): Promise<void> {
    const byOrganizer = Map.groupBy(taken, ({ organizerObjectId }) => organizerObjectId ?? '');
    for (const [organizerId, meetings] of byOrganizer) {
      try {
        const began = tools.clock();
        const looked = await deps.look(scope, graph, organizerId, meetings);
        await deps.captures.finish(scope, { operation: 'capture', began }, looked);
      } catch (err) {
        if (err instanceof DatabaseUnavailableError) throw err;
        tools.logger.error(
          { err, tenantId: scope.db.tenantId, organizerId },
          '[TeamsMeetings] operation=capture failed',
        );
        await deps.captures.putOff(scope, meetings);
      }
    }
  }

  /**
   * Looks at what was taken, then at what can be taken after it.
   *
   * @returns whether nothing was left to take
   */
  async function lookInTurn(scope: Scope, graph: GraphClient, began: number, first: Meeting[]): Promise<boolean> {
    let taken = first;
    for (;;) {
      if (taken.length > 0) await lookAtTaken(scope, graph, taken);
      if (taken.length < AT_ONCE) return true;
      if (tools.clock().getTime() - began >= RUN_MS) return false;
      taken = await deps.captures.takeDue(scope, AT_ONCE);
    }
  }

  /** @returns whether everything that was due is done */
  async function lookAtDue(scope: Scope, graph: GraphClient, began: number): Promise<boolean> {
    const looks: Promise<boolean>[] = [];
    let taken: Meeting[];
    do {
      taken = await deps.captures.takeDue(scope, AT_ONCE);
      looks.push(lookInTurn(scope, graph, began, taken));
    } while (taken.length === AT_ONCE && looks.length < LOOKS_AT_ONCE);
    // A job that failed is over: none of its looks may still be going on.
    await Promise.allSettled(looks);
    return (await Promise.all(looks)).every(Boolean);
  }

  async function readChanges(scope: Scope, graph: GraphClient, organizerId: string): Promise<void> {
    try {
      await deps.changes.read(scope, graph, organizerId, HOUR_MS);
    } catch (err) {
      if (err instanceof DatabaseUnavailableError) throw err;
      tools.logger.error({ err, tenantId: scope.db.tenantId, organizerId }, '[TeamsMeetings] operation=capture failed');
    }
  }

  return {
    async tenant(scope) {
      const began = tools.clock().getTime();
      // Planned first: whatever happens below, the next one comes.
      await scope.db.transaction((prisma) =>
        addJob(prisma, 'capture_tenant', {}, { key: 'all', delayMs: CAPTURE_EVERY_MS }),
      );
      const graph = await activeGraph(scope);
      if (graph === null) return;
      for (const id of await organizersOf(scope)) await readChanges(scope, graph, id);
      if (!(await lookAtDue(scope, graph, began))) await scope.db.transaction((prisma) => planCapture(prisma));
    },

    async onlineMeeting(scope, organizerId, onlineMeetingId) {
      const began = tools.clock().getTime();
      const graph = await activeGraphFor(scope, organizerId);
      if (graph === null || !(await deps.changes.tell(scope, graph, organizerId, onlineMeetingId))) return;
      if (!(await lookAtDue(scope, graph, began))) await scope.db.transaction((prisma) => planCapture(prisma));
    },

    async organizer(scope, organizerId) {
      const began = tools.clock().getTime();
      const graph = await activeGraphFor(scope, organizerId);
      if (graph === null) return;
      await deps.changes.read(scope, graph, organizerId, 0);
      if (!(await lookAtDue(scope, graph, began))) await scope.db.transaction((prisma) => planCapture(prisma));
    },
  };
}
