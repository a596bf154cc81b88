import type { Summary } from '../beside/summary.ts';

/** A number that a workload came to, besides the rates of servers. */
export interface Measure {
  what: string;
  value: number;
  unit: string;
}

/** What one workload came to. */
export interface WorkloadResult {
  name: string;
  title: string;
  /** Of the workloads that compare servers. */
  servers?: Summary[];
  /** Of the others. */
  measures?: Measure[];
}

/** What a run writes into its file. */
export interface BenchResult {
  /** When the run ended, in RFC 3339. */
  at: string;
  machine: { cores: number; model: string | undefined; node: string };
  rounds: number;
  seconds: number;
  workloads: WorkloadResult[];
}

/** A line for each measure. */
export function linesOf(measures: readonly Measure[]): string {
  const width = Math.max(...measures.map(({ what }) => what.length));
  return measures
    .map(({ what, value, unit }) => {
      const digits = Number.isInteger(value) ? 0 : value < 10 ? 2 : 1;
      return `  ${what.padEnd(width)}  ${value.toFixed(digits).padStart(9)} ${unit}`;
    })
    .join('\n');
}
