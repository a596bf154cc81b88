import { median } from '../support/statistics.ts';
import type { Measured } from './load.ts';
import { FLOOR } from './servers.ts';

/** What a server came to over all rounds; ratios are of medians. */
export interface Summary {
  server: string;
  median: Measured;
  /** Its rate as a multiple of the floor's; null where the floor was not measured. */
  ofFloor: number | null;
  rounds: Measured[];
}

function medianOf(rounds: readonly Measured[], pick: (one: Measured) => number | null): number | null {
  const told = rounds.map(pick).filter((value) => value !== null);
  return told.length === 0 ? null : median(told);
}

export function summarize(measured: ReadonlyMap<string, Measured[]>): Summary[] {
  const summaries = [...measured].map(([server, rounds]) => ({
    server,
    rounds,
    median: {
      requestsPerSecond: median(rounds.map((one) => one.requestsPerSecond)),
      p50Ms: median(rounds.map((one) => one.p50Ms)),
      p99Ms: median(rounds.map((one) => one.p99Ms)),
      cpuMsPerRequest: medianOf(rounds, (one) => one.cpuMsPerRequest),
      peakMegabytes: medianOf(rounds, (one) => one.peakMegabytes),
    },
  }));
  const floor = summaries.find(({ server }) => server === FLOOR)?.median.requestsPerSecond ?? null;
  return summaries.map((summary) => ({
    ...summary,
    ofFloor: floor === null ? null : summary.median.requestsPerSecond / floor,
  }));
}

const shown = (value: number | null, digits: number, width: number) => (value?.toFixed(digits) ?? '–').padStart(width);

export function tableOf(summaries: readonly Summary[]): string {
  const head = 'server            req/s  × floor   p50 ms   p99 ms   cpu ms  peak MB  req/s by round';
  const lines = summaries.map(({ server, median: m, ofFloor, rounds }) =>
    [
      server.padEnd(15),
      shown(m.requestsPerSecond, 0, 7),
      shown(ofFloor, 2, 8),
      shown(m.p50Ms, 1, 8),
      shown(m.p99Ms, 1, 8),
      shown(m.cpuMsPerRequest, 2, 8),
      shown(m.peakMegabytes, 0, 8),
      ` ${rounds.map((one) => one.requestsPerSecond.toFixed(0)).join(' ')}`,
    ].join(' '),
  );
  return [head, ...lines].map((line) => `  ${line}`).join('\n');
}
