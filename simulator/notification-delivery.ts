import { setTimeout as wait } from 'node:timers/promises';
import type { DeliveryReport } from './control-types.ts';
import type { SubscriptionBehaviour } from './subscription-types.ts';

/**
 * Carries POSTs to subscribers, each by itself: a slow address holds up no other. A try that is not answered with 2xx
 * in time is repeated after growing gaps. Source: change-notifications-delivery-webhooks; its four hours are shortened
 * to a number of tries.
 */
export class DeliveryService {
  #underWay = new Set<Promise<void>>();
  #reports: DeliveryReport[] = [];
  #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  /** Sends in the background. */
  post(url: string, items: readonly object[], behaviour: SubscriptionBehaviour): void {
    const report: DeliveryReport = { url, items: items.length, tries: 0, status: null };
    this.#reports.push(report);
    const work = this.#carry(report, JSON.stringify({ value: items }), behaviour).finally(() => {
      this.#underWay.delete(work);
    });
    this.#underWay.add(work);
  }

  /** Resolves when nothing is under way; returns and forgets the reports. */
  async done(): Promise<DeliveryReport[]> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  /** Does something when real time has passed, instead of what was to be done before; nothing when it is too far off. */
  later(milliseconds: number, work: () => void): void {
    clearTimeout(this.#timer);
    if (milliseconds < 2 ** 31) this.#timer = setTimeout(work, milliseconds).unref();
  }

  /** Gives up what is under way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  /**
   * The handshake of an address: the decoded token, as plain text, with 200, in time.
   *
   * @returns what is wrong; null when nothing is
   */
  async validate(url: string, behaviour: SubscriptionBehaviour): Promise<'refused' | 'late' | null> {
    const token = `Validation: Testing client application reachability for subscription Request-Id: ${crypto.randomUUID()}`;
    const address = new URL(url);
    address.searchParams.set('validationToken', token);
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        redirect: 'manual',
        signal: this.#within(behaviour.answerWithinMs),
      });
      const text = await response.text();
      const isPlain = /^text\/plain\b/i.test(response.headers.get('content-type') ?? '');
      return response.status === 200 && isPlain && text === token ? null : 'refused';
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'late' : 'refused';
    }
  }

  async #carry(report: DeliveryReport, body: string, behaviour: SubscriptionBehaviour): Promise<void> {
    for (let gap = behaviour.firstRetryMs; ; gap *= 2) {
      report.tries += 1;
      report.status = await this.#try(report.url, body, behaviour.answerWithinMs);
      const isTaken = report.status !== null && report.status >= 200 && report.status < 300;
      if (isTaken || report.tries >= behaviour.maxTries || this.#stopped.signal.aborted) return;
      await wait(gap, undefined, { signal: this.#stopped.signal }).catch(() => {});
      if (this.#stopped.signal.aborted) return;
    }
  }

  async #try(url: string, body: string, answerWithinMs: number): Promise<number | null> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body,
        redirect: 'manual',
        signal: this.#within(answerWithinMs),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return null;
    }
  }

  #within(milliseconds: number): AbortSignal {
    return AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(milliseconds)]);
  }
}
