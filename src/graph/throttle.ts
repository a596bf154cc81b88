interface Waiter {
  admit: () => void;
}

interface Mailbox {
  active: number;
  waiting: Set<Waiter>;
}

/**
 * First come, first served queues, one per key, each with a bounded number of holders at once. Exchange refuses
 * more than four concurrent calls of one app to one mailbox (Microsoft Learn: "Microsoft Graph service-specific
 * throttling limits", Outlook). A key without holders and waiters takes no memory.
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
   * @throws the signal's reason when it aborts while waiting; the place in the queue is given up.
   */
  async run<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const mailbox = this.#mailboxes.get(key) ?? { active: 0, waiting: new Set() };
    this.#mailboxes.set(key, mailbox);
    if (mailbox.active < this.#maxConcurrent) mailbox.active += 1;
    else await takePlace(mailbox, signal);
    try {
      return await work();
    } finally {
      this.#leave(key, mailbox);
    }
  }

  #leave(key: string, mailbox: Mailbox): void {
    const [next] = mailbox.waiting;
    if (next === undefined) {
      mailbox.active -= 1;
      if (mailbox.active === 0) this.#mailboxes.delete(key);
      return;
    }
    mailbox.waiting.delete(next);
    next.admit();
  }
}

/** Waits for a holder to hand over its place, so `active` does not change. */
function takePlace(mailbox: Mailbox, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const giveUp = (): void => {
      mailbox.waiting.delete(waiter);
      reject(signal.reason);
    };
    const waiter: Waiter = {
      admit: () => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      },
    };
    mailbox.waiting.add(waiter);
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
