import type { CheckStatus } from '../verification/checklist.ts';

/** How something was found to be. */
export interface Finding {
  status: CheckStatus;
  /** For a person: what is so. Never a secret, a link, or an address of a meeting. */
  detail: string;
  /** What to do about it; its first sentence stands alone as a recommendation. */
  remedy: string | null;
}

/** Several things that were found out together, each a step of the report. */
export interface NamedFinding extends Finding {
  name: string;
  title: string;
  durationMs: number;
}

export const pass = (detail: string): Finding => ({ status: 'PASS', detail, remedy: null });
export const warn = (detail: string, remedy: string): Finding => ({ status: 'WARN', detail, remedy });
export const fail = (detail: string, remedy: string): Finding => ({ status: 'FAIL', detail, remedy });
export const skip = (detail: string): Finding => ({ status: 'SKIP', detail, remedy: null });

/** An instant as reports write it: UTC, to the minute. */
export const instant = (at: Date): string => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** `1 job`, `2 jobs`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** About how long, in the largest fitting unit: `40 s`, `5 min`, `3 h`, `12 days`. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
