/** How a step of a demonstration went. */
export interface StepResult {
  step: number;
  title: string;
  ok: boolean;
  detail: string;
  milliseconds: number;
}

/** Runs something and says how long it took; a step that fails is a result, not an exception. */
export async function timeStep(step: number, title: string, run: () => Promise<string>): Promise<StepResult> {
  const began = performance.now();
  const end = (ok: boolean, detail: string): StepResult => ({
    step,
    title,
    ok,
    detail,
    milliseconds: Math.round(performance.now() - began),
  });
  try {
    return end(true, await run());
  } catch (error) {
    return end(false, error instanceof Error ? error.message : String(error));
  }
}

/** Two lines in the terminal: whether it held and how long it took, then what was seen. */
export function printStep({ step, title, ok, detail, milliseconds }: StepResult): void {
  console.log(
    `${ok ? '✔' : '✘'} ${String(step).padStart(2)}. ${title.padEnd(74)} ${String(milliseconds).padStart(6)} ms`,
  );
  console.log(`      ${detail.length > 150 ? `${detail.slice(0, 149)}…` : detail}`);
}
