import type { Performed } from './operations.ts';
import type { ChaosTenant, ChaosWorld } from './world.ts';

interface Row {
  tenant_id: string;
  id: string;
  appointment_id: string;
  status: string;
  subject: string;
  starts_at: Date;
  ends_at: Date;
  join_url: string | null;
  version: number;
  synced_version: number;
  attendees: string[];
}

/** What the dust has left; every number but the first three has to be 0. */
export interface Verdict {
  operations: number;
  accepted: number;
  meetings: number;
  doubled: number;
  orphans: number;
  missing: number;
  differing: number;
  stuck: number;
  lostIntents: number;
  unaccounted: number;
  changedLinks: number;
  /** What was found, in words; at most a few. */
  findings: string[];
}

const ROWS = `
  SELECT m.tenant_id, m.id::text, m.appointment_id, m.status::text, m.subject, m.starts_at, m.ends_at, m.join_url, m.version,
         m.synced_version,
         coalesce((SELECT array_agg(a.email_address ORDER BY a.email_address) FROM meeting_attendees a
                    WHERE a.tenant_id = m.tenant_id AND a.meeting_id = m.id AND NOT a.is_removed), '{}') AS attendees
    FROM online_meetings m`;

/** The parts of a verdict that must be zero. */
export const FAULTY = [
  'doubled',
  'orphans',
  'missing',
  'differing',
  'stuck',
  'lostIntents',
  'unaccounted',
  'changedLinks',
] as const satisfies (keyof Verdict)[];

/** Waits until nothing is wanted any more that Microsoft does not know. */
export async function settled(world: ChaosWorld, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    const [row] = await world.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM online_meetings WHERE next_attempt_at IS NOT NULL OR version > synced_version`,
    );
    if (row?.open === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}

/**
 * Operations whose effect may be the last: no other accepted one of the same sort began after they had ended. (Two
 * that overlapped in time may have been accepted in either order.)
 */
function possiblyLast(operations: readonly Performed[]): Performed[] {
  return operations.filter((one) => !operations.some((other) => other.began > one.ended));
}

function isMade(row: Row): boolean {
  return row.status === 'SCHEDULED';
}

/** Whether what is stored of the appointment is what some order of the overlapping operations would leave. */
function isPlausible(row: Row | undefined, rows: readonly Row[], accepted: readonly Performed[]): string | null {
  const creations = accepted.filter(({ kind }) => kind === 'create');
  const cancels = accepted.filter(({ kind }) => kind === 'cancel');
  const existence = possiblyLast([...creations, ...cancels]);
  if (row === undefined) {
    if (creations.length === 0 || existence.some(({ kind }) => kind === 'cancel')) return null;
    return `was created last but has no meeting (${rows.map(({ status }) => status).join()})`;
  }
  if (existence.length > 0 && existence.every(({ kind }) => kind === 'cancel'))
    return 'was cancelled last but is there';

  // A create that found a meeting changes nothing: only the one that made this row counts.
  const about = accepted.filter(({ meetingId }) => meetingId === row.id);
  const makers = about.filter(({ kind }) => kind === 'create').sort((a, b) => a.ended - b.ended);
  const reschedules = possiblyLast(about.filter(({ kind }) => kind === 'reschedule'));
  const subjects = reschedules.length > 0 ? reschedules : makers;
  const hasContent = subjects.some(
    ({ wish }) =>
      wish.subject === row.subject &&
      wish.startsAt === row.starts_at.toISOString() &&
      wish.endsAt === row.ends_at.toISOString(),
  );
  if (!hasContent) return `has the content “${row.subject}”, which nobody asked for last`;
  const lists = possiblyLast(about.filter(({ kind }) => kind === 'attendees'));
  const people = lists.length > 0 ? lists : makers;
  const hasPeople = people.some(({ wish }) => [...(wish.attendees ?? [])].sort().join() === row.attendees.join());
  return hasPeople ? null : `invites ${row.attendees.join() || 'nobody'}, which nobody asked for last`;
}

async function checkCalendar(world: ChaosWorld, tenant: ChaosTenant, rows: readonly Row[], verdict: Verdict) {
  const events = await world.simulator.listEvents(tenant.directoryId, tenant.organizer);
  const say = (text: string) => verdict.findings.push(`${tenant.id}: ${text}`);
  for (const row of rows) {
    const own = events.filter(({ extendedProperties }) => extendedProperties.MeetingId === row.id);
    if (own.length > 1) {
      verdict.doubled += 1;
      say(`${row.id} has ${own.length} events`);
    }
    const [event] = own;
    if (!isMade(row)) {
      if (event !== undefined) {
        verdict.orphans += 1;
        say(`${row.id} is ${row.status} and has an event`);
      }
      continue;
    }
    if (event === undefined) {
      verdict.missing += 1;
      say(`${row.id} has no event`);
      continue;
    }
    const inCalendar = [
      event.subject,
      new Date(event.startsAt).toISOString(),
      new Date(event.endsAt).toISOString(),
      event.joinUrl,
      event.attendees
        .map(({ address }) => address)
        .sort()
        .join(),
    ].join(' | ');
    const stored = [
      row.subject,
      row.starts_at.toISOString(),
      row.ends_at.toISOString(),
      row.join_url,
      row.attendees.join(),
    ].join(' | ');
    if (inCalendar !== stored) {
      verdict.differing += 1;
      say(`${row.id} differs: calendar ${inCalendar}; stored ${stored}`);
    }
  }
  const known = new Set(rows.map(({ id }) => id));
  for (const { extendedProperties, subject } of events) {
    if (extendedProperties.MeetingId !== undefined && known.has(extendedProperties.MeetingId)) continue;
    verdict.orphans += 1;
    say(`the event “${subject}” belongs to nobody`);
  }
}

/** Every accepted change is in the audit trail, and what was accepted was brought about. */
async function countUnaccounted(world: ChaosWorld, performed: readonly Performed[], verdict: Verdict): Promise<void> {
  const audit = await world.query<{ meeting_id: string; operation: string; accepted: number }>(
    `SELECT meeting_id::text, operation, count(*)::int AS accepted FROM audit_events WHERE outcome = 'accepted' GROUP BY 1, 2`,
  );
  const counted = new Map(audit.map((row) => [`${row.meeting_id} ${row.operation}`, row.accepted]));
  // A change that changed nothing, and a create that found a meeting, are accepted without an entry.
  for (const kind of ['cancel', 'create'] as const) {
    const meetings = new Set(performed.filter((one) => one.accepted && one.kind === kind).map((one) => one.meetingId));
    for (const meetingId of meetings) {
      if ((counted.get(`${meetingId} ${kind}`) ?? 0) > 0) continue;
      verdict.unaccounted += 1;
      verdict.findings.push(`${meetingId}: an accepted ${kind} is not in the audit trail`);
    }
  }
}

function countChangedLinks(performed: readonly Performed[], verdict: Verdict): void {
  const links = new Map<string, Set<string>>();
  for (const { meetingId, joinUrl } of performed) {
    if (meetingId === null || joinUrl === null) continue;
    links.set(meetingId, (links.get(meetingId) ?? new Set()).add(joinUrl));
  }
  for (const [meetingId, seen] of links) {
    if (seen.size === 1) continue;
    verdict.changedLinks += 1;
    verdict.findings.push(`${meetingId}: ${seen.size} different join links were answered`);
  }
}

/** Holds the calendars, the database and what the clients were told against one another. */
export async function judge(world: ChaosWorld, performed: readonly Performed[]): Promise<Verdict> {
  const rows = await world.query<Row>(ROWS);
  const verdict: Verdict = {
    operations: performed.length,
    accepted: performed.filter(({ accepted }) => accepted).length,
    meetings: rows.filter(isMade).length,
    doubled: 0,
    orphans: 0,
    missing: 0,
    differing: 0,
    stuck: 0,
    lostIntents: 0,
    unaccounted: 0,
    changedLinks: 0,
    findings: [],
  };
  for (const row of rows) {
    if (['SCHEDULED', 'CANCELLED'].includes(row.status) && row.version === row.synced_version) continue;
    verdict.stuck += 1;
    verdict.findings.push(`${row.id} is ${row.status}, ${row.synced_version} of ${row.version}`);
  }
  for (const tenant of world.tenants) {
    const own = rows.filter(({ tenant_id }) => tenant_id === tenant.id);
    await checkCalendar(world, tenant, own, verdict);
    for (const appointmentId of new Set(performed.map((one) => one.appointmentId))) {
      const about = performed.filter((one) => one.appointmentId === appointmentId && one.tenantId === tenant.id);
      if (about.length === 0) continue;
      const ofAppointment = own.filter(({ appointment_id }) => appointment_id === appointmentId);
      const active = ofAppointment.filter(({ status }) => status !== 'CANCELLED' && status !== 'CANCELLING');
      const accepted = about.filter((one) => one.accepted);
      const problem = active.length > 1 ? 'has two active meetings' : isPlausible(active[0], ofAppointment, accepted);
      if (problem === null) continue;
      verdict.lostIntents += 1;
      verdict.findings.push(`${appointmentId} ${problem}`);
    }
  }
  countChangedLinks(performed, verdict);
  await countUnaccounted(world, performed, verdict);
  return verdict;
}
