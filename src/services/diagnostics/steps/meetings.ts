import type { StoredFailure } from '../../failures.ts';
import type { Scope, ServiceTools } from '../../scope.ts';
import { counted, type Finding, pass, skip, warn } from '../finding.ts';
import type { Look } from '../look.ts';

/** What failed before nobody can help any more. */
const PAST_MS = 7 * 24 * 3_600_000;
/** So long Microsoft's troubles usually pass by themselves. */
const STUCK_MS = 3_600_000;

interface MeetingFacts {
  failed: number;
  /** Wanted, tried for an hour, and not done. */
  stuck: number;
  upcoming: number;
  /** The newest failure of the commonest kind. */
  failure: StoredFailure | null;
}

async function factsOf(scope: Scope, now: Date): Promise<MeetingFacts> {
  const since = new Date(now.getTime() - PAST_MS);
  const stuckSince = new Date(now.getTime() - STUCK_MS);
  const [row] = await scope.db.run(
    (prisma) => prisma.$queryRaw<MeetingFacts[]>`
      WITH bad AS (
        SELECT status, failure, updated_at FROM online_meetings
         WHERE tenant_id = current_setting('app.tenant_id') AND ends_at > ${since}
           AND (status = 'FAILED' OR (version > synced_version AND failing_since < ${stuckSince}))
      )
      SELECT (count(*) FILTER (WHERE status = 'FAILED'))::int AS "failed",
             (count(*) FILTER (WHERE status <> 'FAILED'))::int AS "stuck",
             (SELECT count(*)::int FROM online_meetings
               WHERE tenant_id = current_setting('app.tenant_id') AND status = 'SCHEDULED' AND ends_at > ${now}) AS "upcoming",
             (SELECT (array_agg(failure ORDER BY updated_at DESC))[1] FROM bad WHERE failure IS NOT NULL
               GROUP BY failure->>'code' ORDER BY count(*) DESC, max(updated_at) DESC LIMIT 1) AS "failure"
        FROM bad`,
  );
  if (row === undefined) throw new Error('Postgres did not count');
  return row;
}

function judge({ failed, stuck, upcoming, failure }: MeetingFacts): Finding {
  if (failed + stuck === 0) return pass(`No meeting has failed; ${counted(upcoming, 'is', 'are')} scheduled.`);
  const parts = [
    ...(failed > 0 ? [`${counted(failed, 'meeting has', 'meetings have')} failed`] : []),
    ...(stuck > 0 ? [`${counted(stuck, 'has', 'have')} been tried in vain for more than an hour`] : []),
  ].join('; ');
  const commonest = failure === null ? '.' : `, most often by ${failure.code}: ${failure.message}`;
  return warn(`${parts}${commonest}`, failure?.remedy ?? 'Open the failed meetings and run retryTeamsMeeting.');
}

/** How many meetings failed, and what most of them failed by. */
export function meetingsLook({ clock }: Pick<ServiceTools, 'clock'>): Look {
  return {
    name: 'meetings',
    title: 'Meetings',
    limitMs: 15_000,
    look: async ({ scope, settings }) =>
      settings === null ? skip('Teams was never set up.') : judge(await factsOf(scope, clock())),
  };
}
