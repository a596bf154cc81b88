import type { WorkloadResult } from './result.ts';

/** Something that a run should reach, and what it reached. */
export interface Goal {
  workload: string;
  what: string;
  reached: number;
  wanted: number;
  /** Whether more is better. */
  isLeast: boolean;
}

const isMet = ({ reached, wanted, isLeast }: Goal): boolean => (isLeast ? reached >= wanted : reached <= wanted);

const OURS = 'ours';
const FLOOR = 'floor';

/** How our rate stands to the floor's and to the best peer's; nothing where one of them was not measured. */
function ratesOf({ name, servers = [] }: WorkloadResult, ofFloor: number): Goal[] {
  const rateOf = (server: string) => servers.find((one) => one.server === server)?.median.requestsPerSecond;
  const ours = rateOf(OURS);
  const floor = rateOf(FLOOR);
  const peers = servers.filter(({ server }) => server !== OURS && server !== FLOOR);
  const best = Math.max(...peers.map(({ median }) => median.requestsPerSecond));
  if (ours === undefined) return [];
  const least = (what: string, reached: number, wanted: number) => ({
    workload: name,
    what,
    reached,
    wanted,
    isLeast: true,
  });
  return [
    ...(floor === undefined ? [] : [least('× the floor', ours / floor, ofFloor)]),
    ...(peers.length === 0 || name === 'W3' ? [] : [least('× the best peer', ours / best, 1)]),
  ];
}

function measureOf({ measures = [] }: WorkloadResult, what: string): number | undefined {
  return measures.find((measure) => measure.what === what)?.value;
}

/** The goals of all workloads that were measured, in their order. */
export function goalsOf(workloads: readonly WorkloadResult[]): Goal[] {
  const oursIn = (name: string) =>
    workloads.find((one) => one.name === name)?.servers?.find(({ server }) => server === OURS)?.median;
  return workloads.flatMap((workload): Goal[] => {
    const { name } = workload;
    const goal = (what: string, reached: number | undefined, wanted: number, isLeast: boolean): Goal[] =>
      reached === undefined ? [] : [{ workload: name, what, reached, wanted, isLeast }];
    const own = oursIn(name);
    switch (name) {
      case 'W1':
        return ratesOf(workload, 0.8);
      case 'W2':
        return ratesOf(workload, 0.7);
      case 'W3':
        return [...ratesOf(workload, 0.7), ...goal('p99 ÷ p50', own && own.p99Ms / own.p50Ms, 4, false)];
      case 'W4': {
        const w2 = oursIn('W2');
        return goal('× our own rate of W2', own && w2 && own.requestsPerSecond / w2.requestsPerSecond, 0.85, true);
      }
      case 'W6':
        return [
          ...goal('wall ÷ least', measureOf(workload, 'nothing there: wall ÷ least'), 1.3, false),
          ...goal('round trips', measureOf(workload, 'nothing there: round trips'), 120, false),
        ];
      case 'W7':
        return goal('× bare pipe', measureOf(workload, 'subgraph ÷ bare pipe'), 0.8, true);
      default:
        return [];
    }
  });
}

/** A line for each goal, `missed` where it was. */
export function linesOfGoals(goals: readonly Goal[]): string {
  return goals
    .map((goal) => {
      const { workload, what, reached, wanted, isLeast } = goal;
      const bound = `${isLeast ? '≥' : '≤'} ${wanted}`;
      return `  ${workload}  ${what.padEnd(22)} ${reached.toFixed(2).padStart(8)}  wanted ${bound.padEnd(7)} ${isMet(goal) ? '' : 'missed'}`;
    })
    .join('\n');
}
