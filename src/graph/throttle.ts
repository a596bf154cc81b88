interface Waiter {
  admit: () => void;
}

interface Mailbox {
  active: number;
  waiting: Set<Waiter>;
  /** Those who let all others go first. */
  yielding: Set<Waiter>;
}

/**
 * First come, first served queues, one per key, each with a bounded number of holders at once; who yields is served
 * when nobody else waits. Exchange refuses more than four concurrent calls of one app to one mailbox (Microsoft Learn:
 * "Microsoft Graph service-specific throttling limits", Outlook). A key without holders and waiters takes no memory.
 */
export class MailboxQueues {
  readonly #maxConcurrent: number;
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(maxConcurrent: number) {
    this.#maxConcurrent = maxConcurrent;
  }

  /** How many keys have a holder or a waiter. */
  get size(): number {
    return this.#mailboxes.size;
  }

  /**
   * Runs `work` as soon as the key has a free place.
   * @param yields whether all others who wait go first
   * @throws the signal's reason when it aborts while waiting; the place in the queue is given up.
   */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>, yields = false): Promise<T> {
    signal.throwIfAborted();
    const mailbox = this.#mailboxes.get(key) ?? { active: 0, waiting: new Set(), yielding: new Set() };
    this.#mailboxes.set(key, mailbox);
    if (mailbox.active < this.#maxConcurrent) mailbox.active += 1;
    else await takePlace(yields ? mailbox.yielding : mailbox.waiting, signal);
    try {
      return await work();
    } finally {
      this.#leave(key, mailbox);
    }
  }

  #leave(key: string, mailbox: Mailbox): void {
    const [next] = mailbox.waiting.size > 0 ? mailbox.waiting : mailbox.yielding;
    if (next === undefined) {
      mailbox.active -= 1;
      if (mailbox.active === 0) this.#mailboxes.delete(key);
      return;
    }
    mailbox.waiting.delete(next);
    mailbox.yielding.delete(next);
    next.admit();
  }
}

/** Waits for a holder to hand over its place, so `active` does not change. */
function takePlace(waiting: Set<Waiter>, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      waiting.delete(waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      admit: () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      },
    };
    waiting.add(waiter);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
