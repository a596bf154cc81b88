import { timeoutFailure } from '../../graph/network-failure.ts';
import type { CallOptions, GraphFailureKind } from '../../graph/types.ts';

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
  /** Of the last answer of Graph, also where it was a good one; of Entra's for a refused token. */
  graphRequestId: string | null;
  /** What it means for the whole; only where it failed. */
  outcome?: VerificationOutcome;
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

/** What an error means for a check. */
export interface Failure {
  outcome: VerificationOutcome;
  detail: string;
  remedy: string | null;
  graphRequestId: string | null;
  /** What Microsoft said; null where our own look at its answer failed. */
  kind?: GraphFailureKind | null;
}

/** Causes that another check tells already: one that fails by them is a consequence, and no finding of its own. */
export type Consequences = Partial<Record<GraphFailureKind, string>>;

/** A question to Microsoft with its answer or failure, how long it took, and the request id to quote. */
export type Asked<T> = { durationMs: number; graphRequestId: string | null } & (
  | { value: T; failure?: undefined }
  | { value?: undefined; failure: Failure }
);

/** How long a check may take, all its calls and tries together. */
const CHECK_LIMIT_MS = 12_000;

/** Collects checks and what each found; knows what they come to. */
export class Checklist {
  readonly checks: VerificationCheck[] = [];
  readonly #clock: () => Date;
  readonly #describe: (error: unknown) => Failure;

  /** @param describe says what an error of a probe means; what it throws is no finding but a bug */
  constructor(clock: () => Date, describe: (error: unknown) => Failure) {
    this.#clock = clock;
    this.#describe = describe;
  }

  /** A list of its own for checks that run beside others. */
  branch(): Checklist {
    return new Checklist(this.#clock, this.#describe);
  }

  join(lists: readonly Checklist[]): this {
    for (const { checks } of lists) this.checks.push(...checks);
    return this;
  }

  /** Asks Microsoft within a time limit, after which the failure is TIMEOUT. Adds nothing to the list. */
  async ask<T>(question: (options: CallOptions) => Promise<T>, limitMs = CHECK_LIMIT_MS): Promise<Asked<T>> {
    const began = this.#clock().getTime();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(timeoutFailure('Microsoft', limitMs)), limitMs);
    let last: string | null = null;
    const facts = () => ({ durationMs: Math.max(0, this.#clock().getTime() - began), graphRequestId: last });
    const onRequestId = (requestId: string) => {
      last = requestId;
    };
    try {
      return { value: await question({ signal: late.signal, onRequestId }), ...facts() };
    } catch (error) {
      const failure = this.#describe(error);
      last = failure.graphRequestId ?? last;
      return { failure, ...facts() };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Runs a check and adds what came of it.
   *
   * @param probe returns what was found, or a warning; what it throws is the failure
   * @returns whether it passed
   */
  async check(
    name: string,
    probe: (options: CallOptions) => Promise<string | Warning>,
    { limitMs, consequences = {} }: { limitMs?: number; consequences?: Consequences } = {},
  ): Promise<boolean> {
    const asked = await this.ask(probe, limitMs);
    if (asked.failure === undefined) this.found(name, asked.value, asked);
    else this.failed(name, asked.failure, asked, consequences);
    return asked.failure === undefined;
  }

  /** Adds what a check found. */
  found(
    name: string,
    finding: string | Warning,
    asked: Pick<VerificationCheck, 'durationMs' | 'graphRequestId'>,
  ): void {
    const { durationMs, graphRequestId } = asked;
    const result =
      typeof finding === 'string'
        ? ({ status: 'PASS', detail: finding, remedy: null } as const)
        : ({ status: 'WARN', detail: finding.detail, remedy: finding.remedy } as const);
    this.checks.push({ name, ...result, durationMs, graphRequestId });
  }

  /** Adds a failed check, or one that was skipped where another check tells the cause already. */
  failed(
    name: string,
    { outcome, detail, remedy, kind }: Failure,
    { durationMs, graphRequestId }: Pick<VerificationCheck, 'durationMs' | 'graphRequestId'>,
    consequences: Consequences = {},
  ): void {
    const cause = kind ? consequences[kind] : undefined;
    if (cause === undefined) {
      this.checks.push({ name, status: 'FAIL', detail, remedy, durationMs, graphRequestId, outcome });
      return;
    }
    const told = `Cannot be told before the check ${cause} is in order: ${detail}`;
    this.checks.push({ name, status: 'SKIP', detail: told, remedy: null, durationMs, graphRequestId });
  }

  /** Notes checks that were not made. */
  skip(names: readonly string[], detail = 'Not run, because an earlier check failed.'): this {
    for (const name of names) {
      this.checks.push({ name, status: 'SKIP', detail, remedy: null, durationMs: 0, graphRequestId: null });
    }
    return this;
  }

  /** Whether the check of this name was made and found nothing that hinders. */
  passed(name: string): boolean {
    return this.checks.some((check) => check.name === name && (check.status === 'PASS' || check.status === 'WARN'));
  }

  /** The first failure names it; one that may pass by itself only where none lasts. */
  outcome(): VerificationOutcome {
    const outcomes = this.checks.flatMap(({ status, outcome }) => (status === 'FAIL' && outcome ? [outcome] : []));
    return outcomes.find((one) => one !== 'GRAPH_ERROR') ?? outcomes[0] ?? 'VERIFIED';
  }
}
