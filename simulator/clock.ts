/** The simulator's time: real time plus an offset that tests may move. */
export class Clock {
  #offsetMs = 0;

  now(): Date {
    return new Date(Date.now() + this.#offsetMs);
  }

  /** Moves by so many milliseconds; negative moves back. */
  advance(milliseconds: number): void {
    this.#offsetMs += milliseconds;
  }

  /** Jumps to the instant and keeps running; null returns to real time. */
  set(instant: Date | null): void {
    this.#offsetMs = instant === null ? 0 : instant.getTime() - Date.now();
  }
}

/** Microsoft's usual UTC text with seven fractional digits, e.g. `2026-01-01T09:00:00.0000000Z`. */
export function sevenDigits(instant: Date): string {
  return instant.toISOString().replace(/Z$/, '0000Z');
}

/** The `date` of an innerError: seconds, no zone. Source: the Graph page on errors. */
export function innerErrorDate(instant: Date): string {
  return instant.toISOString().slice(0, 19);
}
