import type { MailboxConcurrency } from './control-types.ts';

/** Outlook's limit per app and mailbox. Source: the Graph page on throttling limits. */
const MAILBOX_CONCURRENCY_LIMIT = 4;

/** Counts the Exchange calls under way per app and mailbox. */
export class ConcurrencyMeter {
  readonly #counters = new Map<string, MailboxConcurrency>();

  /** Takes a place and returns its release, or null when all places are taken. Attempts beyond the limit count in `max`. */
  enter(directoryId: string, appId: string, userId: string): (() => void) | null {
    const key = `${directoryId}/${appId}/${userId}`;
    const counter = this.#counters.get(key) ?? { directoryId, appId, userId, current: 0, max: 0 };
    this.#counters.set(key, counter);
    counter.max = Math.max(counter.max, counter.current + 1);
    if (counter.current >= MAILBOX_CONCURRENCY_LIMIT) return null;
    counter.current += 1;
    let held = true;
    return () => {
      if (held) counter.current -= 1;
      held = false;
    };
  }

  list(): MailboxConcurrency[] {
    return [...this.#counters.values()];
  }

  /** Forgets the maxima; calls under way stay counted. */
  clearMaxima(): void {
    for (const counter of this.#counters.values()) counter.max = counter.current;
  }
}
