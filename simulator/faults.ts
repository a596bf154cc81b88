import { setTimeout as wait } from 'node:timers/promises';
import type { FaultInput } from './control-types.ts';

interface ArmedFault {
  id: number;
  remaining: number;
  path: RegExp;
  fault: FaultInput;
}

/** Faults waiting for their calls, used up in the order in which they came. */
export class FaultList {
  #nextId = 1;
  #armed: ArmedFault[] = [];
  #chance = 1;
  #delays = new AbortController();

  /** Arms a fault and returns its id. Throws when its path is not a regular expression. */
  add(fault: FaultInput): number {
    const id = this.#nextId++;
    this.#armed.push({ id, remaining: fault.times ?? 1, path: new RegExp(fault.match?.path ?? '', 'i'), fault });
    return id;
  }

  /** Begins the sequence of chances anew. */
  seed(seed: number): void {
    this.#chance = seed >>> 0 || 1;
  }

  /** From 0 up to, not including, 1 (xorshift32). */
  #next(): number {
    let state = this.#chance;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#chance = state >>> 0;
    return this.#chance / 4_294_967_296;
  }

  /** Forgets all faults and ends the delays under way. */
  clear(): void {
    this.#armed = [];
    this.#delays.abort();
    this.#delays = new AbortController();
  }

  /** Waits as a fault asks, at most until the faults are cleared. */
  async delay(milliseconds: number): Promise<void> {
    await wait(milliseconds, undefined, { signal: this.#delays.signal }).catch(() => {});
  }

  /** The fault that this call meets, one of its times used up; undefined when none matches. */
  take(method: string, decodedUrl: string): FaultInput | undefined {
    const hit = this.#armed.find(
      (armed) =>
        (armed.fault.match?.method ?? method).toUpperCase() === method.toUpperCase() &&
        armed.path.test(decodedUrl) &&
        (armed.fault.probability === undefined || this.#next() < armed.fault.probability),
    );
    if (hit === undefined) return undefined;
    hit.remaining -= 1;
    if (hit.remaining <= 0) this.#armed = this.#armed.filter((armed) => armed !== hit);
    return hit.fault;
  }
}
