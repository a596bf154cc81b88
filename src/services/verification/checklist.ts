export type CheckStatus = 'PASS' | 'WARN' | 'FAIL' | 'SKIP';

export type VerificationOutcome =
  | 'VERIFIED'
  | 'NOT_CONFIGURED'
  | 'CREDENTIALS_REJECTED'
  | 'USER_NOT_FOUND'
  | 'MAILBOX_UNAVAILABLE'
  | 'PERMISSION_MISSING'
  | 'MAILBOX_SCOPE_DENIED'
  | 'POLICY_MISSING'
  | 'GRAPH_ERROR';

export interface VerificationCheck {
  name: string;
  status: CheckStatus;
  detail: string;
  remedy: string | null;
  durationMs: number;
  graphRequestId: string | null;
}

export interface Verification {
  outcome: VerificationOutcome;
  checks: VerificationCheck[];
  ranAt: Date;
}

/** What a probe found that works today and yet should be looked at. */
export interface Warning {
  detail: string;
  remedy: string;
}

type Failure = Omit<VerificationCheck, 'name' | 'status' | 'durationMs'> & { outcome: VerificationOutcome };

/** Runs checks one by one and keeps what each found; the first failure names the outcome. */
export class Checklist {
  readonly checks: VerificationCheck[] = [];
  readonly #clock: () => Date;
  readonly #describe: (error: unknown) => Failure;
  #outcome: VerificationOutcome = 'VERIFIED';

  constructor(clock: () => Date, describe: (error: unknown) => Failure) {
    this.#clock = clock;
    this.#describe = describe;
  }

  /** @param probe returns what was found, or a warning; what it throws is the failure. @returns whether it passed */
  async check(name: string, probe: () => Promise<string | Warning>): Promise<boolean> {
    const began = this.#clock().getTime();
    const durationMs = () => Math.max(0, this.#clock().getTime() - began);
    try {
      const found = await probe();
      const result =
        typeof found === 'string'
          ? ({ status: 'PASS', detail: found, remedy: null } as const)
          : ({ status: 'WARN', ...found } as const);
      this.checks.push({ name, ...result, durationMs: durationMs(), graphRequestId: null });
      return true;
    } catch (error) {
      const { outcome, ...failure } = this.#describe(error);
      this.checks.push({ ...failure, name, status: 'FAIL', durationMs: durationMs() });
      if (this.#outcome === 'VERIFIED') this.#outcome = outcome;
      return false;
    }
  }

  warn(name: string, detail: string): void {
    this.checks.push({ name, status: 'WARN', detail, remedy: null, durationMs: 0, graphRequestId: null });
  }

  /** Notes checks that a failure before them made pointless. */
  skip(names: string[]): this {
    for (const name of names) {
      this.checks.push({
        name,
        status: 'SKIP',
        detail: 'Not run, because an earlier check failed.',
        remedy: null,
        durationMs: 0,
        graphRequestId: null,
      });
    }
    return this;
  }

  outcome(): VerificationOutcome {
    return this.#outcome;
  }
}
