import type { StoredFailure } from '../../failures.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import { counted, type Finding, instant, pass, skip, warn } from '../finding.ts';
import type { Look } from '../look.ts';

/** Older meetings are the past: their blocked captures would be told for ever. */
const RECENT_MS = 30 * 24 * 3_600_000;
/** A look that is due for longer is not being made. */
const OVERDUE_MS = 3_600_000;

interface CaptureFacts {
  lastLookAt: Date | null;
  lastFoundAt: Date | null;
  /** These two of meetings that the connected app may look at: not of those left in another directory. */
  blocked: number;
  overdue: number;
  /** The newest failure of the commonest kind among the blocked ones. */
  failure: StoredFailure | null;
  /** Why the look at all meetings of an organizer last failed. */
  cursorFailure: StoredFailure | null;
}

async function factsOf(scope: Scope, now: Date): Promise<CaptureFacts> {
  const recent = new Date(now.getTime() - RECENT_MS);
  const overdue = new Date(now.getTime() - OVERDUE_MS);
  const [row] = await scope.db.run(
    (prisma) => prisma.$queryRaw<CaptureFacts[]>`
      SELECT max(m.capture_last_attempt_at) AS "lastLookAt",
             (SELECT max(captured_at) FROM (
                SELECT captured_at FROM meeting_recordings WHERE tenant_id = current_setting('app.tenant_id')
                UNION ALL
                SELECT captured_at FROM meeting_transcripts WHERE tenant_id = current_setting('app.tenant_id')) found) AS "lastFoundAt",
             (count(*) FILTER (WHERE m.capture_state = 'BLOCKED' AND m.ends_at > ${recent}
                                 AND m.left_in IS NULL AND m.organizer_object_id IS NOT NULL))::int AS "blocked",
             (count(*) FILTER (WHERE m.capture_next_at < ${overdue} AND m.status IN ('SCHEDULED', 'FAILED')
                                 AND m.is_calendar_backed AND m.join_url IS NOT NULL
                                 AND m.left_in IS NULL AND m.organizer_object_id IS NOT NULL))::int AS "overdue",
             (SELECT (array_agg(f.capture_failure ORDER BY f.ends_at DESC))[1] FROM online_meetings f
               WHERE f.tenant_id = current_setting('app.tenant_id') AND f.capture_state = 'BLOCKED'
                 AND f.ends_at > ${recent} AND f.capture_failure IS NOT NULL
                 AND f.left_in IS NULL AND f.organizer_object_id IS NOT NULL
               GROUP BY f.capture_failure->>'code' ORDER BY count(*) DESC, max(f.ends_at) DESC LIMIT 1) AS "failure",
             (SELECT c.failure FROM artifact_cursors c
               WHERE c.tenant_id = current_setting('app.tenant_id') AND c.failure IS NOT NULL
                 AND c.organizer_object_id = (SELECT organizer_object_id FROM teams_integrations
                                               WHERE tenant_id = current_setting('app.tenant_id'))
               ORDER BY c.read_at DESC LIMIT 1) AS "cursorFailure"
        FROM online_meetings m WHERE m.tenant_id = current_setting('app.tenant_id')`,
  );
  if (row === undefined) throw new Error('Postgres did not count');
  return row;
}

/** @param isActive whether anything is looked for at all */
function judge(
  { lastLookAt, lastFoundAt, blocked, overdue, failure, cursorFailure }: CaptureFacts,
  isActive: boolean,
): Finding {
  const last = [
    lastLookAt === null
      ? 'No meeting has been looked at yet'
      : `The last look at a meeting was on ${instant(lastLookAt)}`,
    lastFoundAt === null ? 'nothing has been found so far' : `something was last found on ${instant(lastFoundAt)}`,
  ].join('; ');
  if (blocked > 0)
    return warn(
      `${last}. At ${counted(blocked, 'meeting')} of the last 30 days Microsoft refuses${failure === null ? '.' : `: ${failure.message}`}`,
      failure?.remedy ?? 'Run verifyTeamsOrganizer and follow its remedy.',
    );
  if (cursorFailure !== null)
    return warn(
      `${last}. The look at all meetings of the organizer failed: ${cursorFailure.message}`,
      cursorFailure.remedy ?? 'Run verifyTeamsOrganizer and follow its remedy.',
    );
  if (overdue > 0 && isActive)
    return warn(
      `${last}. ${counted(overdue, 'meeting')} should have been looked at an hour ago or earlier.`,
      'Look whether background jobs are being done, and run the diagnosis again.',
    );
  return pass(`${last}.`);
}

/** When recordings and transcripts were last looked for, and what is in the way. */
export function captureLook({ clock }: Pick<ServiceTools, 'clock'>): Look {
  return {
    name: 'capture',
    title: 'Recordings and transcripts',
    limitMs: 15_000,
    look: async ({ scope, settings }) =>
      settings === null
        ? skip('Teams was never set up.')
        : judge(await factsOf(scope, clock()), settings.installStatus === 'ACTIVE'),
  };
}
