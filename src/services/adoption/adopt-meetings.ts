import type { AlgaArtifact, AlgaMeeting } from '../../db/alga-source.ts';
import type { TenantPrisma } from '../../db/database.ts';
import { addJobs } from '../../db/job-queue.ts';
import { Prisma } from '../../generated/prisma/client.ts';
import { isCancelled, type Meeting } from '../meetings/meeting.ts';
import { isLeased } from '../meetings/sync/claim.ts';
import { buriedOf } from '../retention/tombstones.ts';
import type { ServiceTools } from '../scope.ts';
import { fingerprintOf, isActive, type MappedMeeting } from './alga-meeting.ts';
import type { FindingCode } from './findings.ts';

/** A row of the source, what is to become of it, and what has to be told of that. */
export interface Incoming {
  row: AlgaMeeting;
  meeting: MappedMeeting;
  notes: readonly FindingCode[];
}

export interface AdoptedBatch {
  taken: string[];
  changed: string[];
  unchanged: string[];
  refused: { id: string; code: FindingCode }[];
  /** What no longer is the meeting of its appointment or interaction, since the source has cancelled it. */
  released: string[];
  newRecordings: number;
}

type Here = {
  rows: Map<string, Meeting>;
  adopted: Map<string, { fingerprint: string; version: number }>;
  /** Active meetings by what only one of them may have. */
  bySubject: Map<string, string>;
  byEvent: Map<string, string>;
};
type Decision = 'take' | 'change' | 'unchanged' | FindingCode;

/** Names what a meeting is for: of each only one may be active. */
export const subjectKey = ({ appointmentId, interactionId }: Pick<Meeting, 'appointmentId' | 'interactionId'>) =>
  appointmentId === null ? `interaction:${interactionId}` : `appointment:${appointmentId}`;

/** Reads what is here of the batch, and keeps everybody else from changing it until the transaction ends. */
async function readHere(
  prisma: TenantPrisma,
  incoming: readonly Incoming[],
  released: ReadonlySet<string>,
): Promise<Here> {
  const ids = incoming.map(({ meeting }) => meeting.id);
  await prisma.$queryRaw`
    SELECT FROM online_meetings WHERE tenant_id = current_setting('app.tenant_id') AND id = ANY (${ids}::uuid[])
     ORDER BY id FOR UPDATE`;
  const present = (values: (string | null)[]) => values.filter((value) => value !== null);
  const rows = await prisma.onlineMeeting.findMany({ where: { id: { in: ids } } });
  const adopted = await prisma.adoptedMeeting.findMany({ where: { meetingId: { in: ids } } });
  const stored = await prisma.onlineMeeting.findMany({
    where: {
      status: { notIn: ['CANCELLED', 'CANCELLING'] },
      OR: [
        { appointmentId: { in: present(incoming.map(({ meeting }) => meeting.appointmentId)) } },
        { interactionId: { in: present(incoming.map(({ meeting }) => meeting.interactionId)) } },
        { graphEventId: { in: present(incoming.map(({ meeting }) => meeting.graphEventId)) } },
      ],
    },
    select: { id: true, appointmentId: true, interactionId: true, graphEventId: true },
  });
  const [freed, active] = [stored.filter(({ id }) => released.has(id)), stored.filter(({ id }) => !released.has(id))];
  // What takes their place is stored in this transaction, and the database has room for one.
  if (freed.length > 0)
    await prisma.onlineMeeting.updateMany({
      where: { id: { in: freed.map(({ id }) => id) } },
      data: { status: 'CANCELLED' },
    });
  return {
    rows: new Map(rows.map((row) => [row.id, row])),
    adopted: new Map(adopted.map(({ meetingId, ...known }) => [meetingId, known])),
    bySubject: new Map(active.map((row) => [subjectKey(row), row.id])),
    byEvent: new Map(active.flatMap(({ id, graphEventId }) => (graphEventId === null ? [] : [[graphEventId, id]]))),
  };
}

/** What a meeting here says against one of the source. */
function conflictOf({ meeting }: Incoming, here: Here): FindingCode | null {
  if (!isActive(meeting)) return null;
  const isOther = (id: string | undefined) => id !== undefined && id !== meeting.id;
  if (isOther(here.bySubject.get(subjectKey(meeting)))) return 'APPOINTMENT_TAKEN';
  return isOther(here.byEvent.get(meeting.graphEventId ?? '')) ? 'EVENT_TAKEN' : null;
}

function decide(incoming: Incoming, here: Here, now: Date): Decision {
  const { row, meeting } = incoming;
  const stored = here.rows.get(meeting.id);
  if (stored === undefined) return conflictOf(incoming, here) ?? 'take';
  const known = here.adopted.get(meeting.id);
  if (known === undefined) return 'EVENT_TAKEN';
  if (known.fingerprint === fingerprintOf(row, meeting)) return 'unchanged';
  if (stored.version !== known.version || isLeased(stored, now)) return 'CHANGED_HERE';
  return conflictOf(incoming, here) ?? 'change';
}

/** The columns that the source decides. */
function contentOf({ toDo, failure, createdAt: _created, updatedAt: _updated, ...meeting }: MappedMeeting, now: Date) {
  return {
    ...meeting,
    failure: failure === null ? Prisma.DbNull : { ...failure },
    nextAttemptAt: toDo === 'now' ? now : null,
    operation: 'import',
  };
}

/** The intent, counted: what is as it should be has been brought about; anything else has one more. */
const intentsOf = ({ toDo }: MappedMeeting) => (toDo === 'nothing' ? 0 : 1);

/**
 * Stores a batch of the source's meetings in one transaction. What was stored by an earlier import is touched only where
 * the source has changed it since and nobody here has. Nobody is told of it: no mail, no event, no change at Microsoft,
 * but for what the source had left undone.
 *
 * @param leftIn where the meetings are, when that is another home than the connected one
 * @param released what earlier batches of a dry run have released: that was taken back, so it is done again in this one
 */
export async function adoptMeetings(
  prisma: TenantPrisma,
  tools: Pick<ServiceTools, 'clock' | 'newId'>,
  {
    incoming,
    artifacts,
    leftIn,
    released,
  }: {
    incoming: readonly Incoming[];
    artifacts: readonly AlgaArtifact[];
    leftIn: string | null;
    released: ReadonlySet<string>;
  },
): Promise<AdoptedBatch> {
  const now = tools.clock();
  const here = await readHere(prisma, incoming, released);
  const decisions = new Map(incoming.map((one) => [one.meeting.id, decide(one, here, now)]));
  const decided = (wanted: Decision) => incoming.filter(({ meeting }) => decisions.get(meeting.id) === wanted);
  const [taken, changed, unchanged] = [decided('take'), decided('change'), decided('unchanged')];
  const withArtifacts = new Set(artifacts.map(({ meetingId }) => meetingId));

  for (const { meeting } of changed) await change(prisma, meeting, here, now);
  await prisma.onlineMeeting.createMany({
    data: taken.map(({ meeting }) => ({
      ...contentOf(meeting, now),
      leftIn: meeting.graphEventId === null && meeting.joinUrl === null ? null : leftIn,
      timeZone: 'UTC',
      transactionId: meeting.id,
      inputHash: '',
      version: 1 + intentsOf(meeting),
      syncedVersion: 1,
      // Of old meetings, too: the usual look does not go back so far.
      captureNextAt: withArtifacts.has(meeting.id) && meeting.endsAt <= now ? now : null,
      createdAt: meeting.createdAt,
      updatedAt: now,
    })),
  });
  await noteAdopted(prisma, [...taken, ...changed], here, now);
  await addJobs(
    prisma,
    'sync_meeting',
    [...taken, ...changed].flatMap(({ meeting: { id, toDo } }) =>
      toDo === 'now' ? [{ payload: { meetingId: id }, key: id }] : [],
    ),
  );
  const present = new Set([...taken, ...changed, ...unchanged].flatMap(({ meeting }) => readableOf(meeting)));
  const found = artifacts.filter(({ meetingId, type }) => type === 'recording' && present.has(meetingId));
  return {
    taken: idsOf(taken),
    changed: idsOf(changed),
    unchanged: idsOf(unchanged),
    refused: refusalsOf(decisions),
    released: idsOf(changed.filter(({ meeting }) => isCancelled(meeting))),
    newRecordings: await adoptRecordings(prisma, tools, found),
  };
}

const idsOf = (some: readonly Incoming[]) => some.map(({ meeting }) => meeting.id);

/** Microsoft serves apps no recordings of meetings without an event. */
const readableOf = ({ id, isCalendarBacked }: MappedMeeting) => (isCalendarBacked ? [id] : []);

function refusalsOf(decisions: ReadonlyMap<string, Decision>): AdoptedBatch['refused'] {
  return [...decisions].flatMap(([id, decision]) =>
    decision === 'take' || decision === 'change' || decision === 'unchanged' ? [] : [{ id, code: decision }],
  );
}

/** What was learned here of the meeting at Microsoft stays where the source does not know it. */
async function change(prisma: TenantPrisma, meeting: MappedMeeting, here: Here, now: Date): Promise<void> {
  const stored = here.rows.get(meeting.id);
  if (stored === undefined) return;
  const { id, ...content } = contentOf(meeting, now);
  const version = stored.version + 1;
  await prisma.onlineMeeting.updateMany({
    where: { id },
    data: {
      ...content,
      joinUrl: isCancelled(meeting) ? null : (content.joinUrl ?? stored.joinUrl),
      graphEventId: content.graphEventId ?? stored.graphEventId,
      graphOnlineMeetingId: content.graphOnlineMeetingId ?? stored.graphOnlineMeetingId,
      organizerObjectId: content.organizerObjectId ?? stored.organizerObjectId,
      failedAttempts: 0,
      failingSince: null,
      version,
      syncedVersion: version - intentsOf(meeting),
      updatedAt: now,
    },
  });
}

async function noteAdopted(prisma: TenantPrisma, written: readonly Incoming[], here: Here, now: Date): Promise<void> {
  await prisma.adoptedMeeting.deleteMany({ where: { meetingId: { in: idsOf(written) } } });
  await prisma.adoptedMeeting.createMany({
    data: written.map(({ row, meeting }) => ({
      meetingId: meeting.id,
      fingerprint: fingerprintOf(row, meeting),
      version: (here.rows.get(meeting.id)?.version ?? intentsOf(meeting)) + 1,
      adoptedAt: now,
    })),
  });
}

/** Stores recordings by Microsoft's ids; a look at the meeting completes them. Returns how many are new. */
async function adoptRecordings(
  prisma: TenantPrisma,
  tools: Pick<ServiceTools, 'clock' | 'newId'>,
  found: readonly AlgaArtifact[],
): Promise<number> {
  if (found.length === 0) return 0;
  const buried = await buriedOf(prisma, [...new Set(found.map(({ meetingId }) => meetingId))]);
  const gone = new Set(buried.map(({ meetingId, graphId }) => `${meetingId} ${graphId}`));
  const { count } = await prisma.meetingRecording.createMany({
    data: found
      .filter(({ meetingId, graphId }) => !gone.has(`${meetingId} ${graphId}`))
      .map(({ meetingId, graphId, createdAt }) => ({
        id: tools.newId(),
        meetingId,
        graphRecordingId: graphId,
        createdAt,
        capturedAt: tools.clock(),
      })),
    skipDuplicates: true,
  });
  return count;
}
