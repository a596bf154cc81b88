import type { DatabaseFacts } from '../../../db/facts.ts';
import { DatabaseUnavailableError, type ServiceTools } from '../../scope.ts';
import { duration, type Finding, fail, pass, skip, warn } from '../finding.ts';
import type { Look, Subject } from '../look.ts';

/** Below that nobody notices. */
const WARN_FROM_MS = 60_000;
/** Entra takes client assertions and tokens for five minutes too early or too late. */
const FAIL_FROM_MS = 5 * 60_000;

interface Skew {
  whose: 'Microsoft' | 'the database';
  aheadMs: number;
}

const words = ({ whose, aheadMs }: Skew) =>
  `${duration(aheadMs)} ${aheadMs < 0 ? 'behind' : 'ahead of'} ${whose === 'Microsoft' ? 'Microsoft’s' : 'the database’s'}`;

/** Null when the database does not answer, which is told by a step of its own. */
async function databaseSkew(inspect: () => Promise<DatabaseFacts>, clock: () => Date): Promise<Skew | null> {
  const before = clock().getTime();
  try {
    const { now } = await inspect();
    const ours = (before + clock().getTime()) / 2;
    return { whose: 'the database', aheadMs: ours - now.getTime() };
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return null;
    throw error;
  }
}

/** Microsoft's time stands on every answer of Entra, refusals too. */
async function microsoftSkew({ graph, grantedRoles }: Subject): Promise<Skew | null> {
  if (graph === null) return null;
  await grantedRoles().catch(() => undefined);
  const reading = graph.clockReading();
  return reading === null ? null : { whose: 'Microsoft', aheadMs: reading.aheadMs };
}

function judge(microsoft: Skew | null, database: Skew | null): Finding {
  const skews = [microsoft, database].filter((skew) => skew !== null);
  const [first, ...others] = skews;
  if (first === undefined) return skip('Not looked at, because neither Microsoft nor the database has answered.');
  const unknown =
    (microsoft === null ? ' Microsoft’s clock is not known, for it has not answered.' : '') +
    (database === null ? ' The database’s clock is not known, for it has not answered.' : '');
  const worst = others.reduce((a, b) => (Math.abs(b.aheadMs) > Math.abs(a.aheadMs) ? b : a), first);
  const size = Math.abs(worst.aheadMs);
  if (size < WARN_FROM_MS)
    return pass(
      `The clock of this server goes right to within ${size < 1_500 ? 'a second' : duration(size)}.${unknown}`,
    );
  const off = skews.filter(({ aheadMs }) => Math.abs(aheadMs) >= WARN_FROM_MS);
  const detail = `The clock of this server is ${off.map(words).join(' and ')}.${unknown}`;
  const remedy =
    off.every(({ whose }) => whose === 'the database') && microsoft !== null
      ? 'Set the clock of the database server by NTP.'
      : 'Set the clock of this server by NTP.';
  return size >= FAIL_FROM_MS ? fail(detail, remedy) : warn(detail, remedy);
}

/** Whether our clock, Microsoft's and the database's tell the same time. */
export function clockLook(inspect: () => Promise<DatabaseFacts>, { clock }: Pick<ServiceTools, 'clock'>): Look {
  return {
    name: 'clock',
    title: 'Clock',
    limitMs: 15_000,
    async look(subject) {
      const [microsoft, database] = await Promise.all([microsoftSkew(subject), databaseSkew(inspect, clock)]);
      return judge(microsoft, database);
    },
  };
}
