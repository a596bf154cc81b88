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
  #delays = new AbortController();

  /** Arms a fault and returns its id. Throws when its path is not a regular expression. */
  add(fault: FaultInput): number {
    const id = this.#nextId++;
    this.#armed.push({ id, remaining: fault.times ?? 1, path: new RegExp(fault.match?.path ?? '', 'i'), fault });
    return id;
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
        (armed.fault.match?.method ?? method).toUpperCase() === method.toUpperCase() && armed.path.test(decodedUrl),
    );
    if (hit === undefined) return undefined;
    hit.remaining -= 1;
    if (hit.remaining <= 0) this.#armed = this.#armed.filter((armed) => armed !== hit);
    return hit.fault;
  }
}
