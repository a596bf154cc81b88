import { setTimeout as wait } from 'node:timers/promises';
import type { FaultInput } from './control-types.ts';
import { seededRandom } from './seeded-random.ts';

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
  #random = seededRandom(1);

  /** Makes the chances of faults with a probability repeatable from here on. */
  seed(seed: number): void {
    this.#random = seededRandom(seed);
  }

  /** Arms a fault and returns its id. Throws when its path is not a regular expression or its probability is none. */
  add(fault: FaultInput): number {
    const { probability = 1 } = fault;
    if (!(probability >= 0 && probability <= 1)) throw new Error(`probability ${probability} is not from 0 to 1`);
    const id = this.#nextId++;
    this.#armed.push({ id, remaining: timesOf(fault), path: new RegExp(fault.match?.path ?? '', 'i'), fault });
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

  /** The fault that this call meets, one of its times used up; undefined when none matches or chance spares it. */
  take(method: string, decodedUrl: string): FaultInput | undefined {
    const hit = this.#armed.find(
      (armed) =>
        (armed.fault.match?.method ?? method).toUpperCase() === method.toUpperCase() &&
        armed.path.test(decodedUrl) &&
        this.#strikes(armed.fault),
    );
    if (hit === undefined) return undefined;
    hit.remaining -= 1;
    if (hit.remaining <= 0) this.#armed = this.#armed.filter((armed) => armed !== hit);
    return hit.fault;
  }

  /** Asks chance only where there is one, so that other faults do not move the sequence. */
  #strikes({ probability }: FaultInput): boolean {
    return probability === undefined || this.#random() < probability;
  }
}

function timesOf({ times }: FaultInput): number {
  return times === null ? Number.POSITIVE_INFINITY : (times ?? 1);
}
