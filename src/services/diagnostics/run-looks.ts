import { BlobStoreError } from '../../blobs/blob-store.ts';
import { GraphRequestError } from '../../graph/errors.ts';
import { explain } from '../failures.ts';
import { DatabaseUnavailableError, type ServiceTools } from '../scope.ts';
import { duration, type Finding, fail } from './finding.ts';
import type { Look, Subject } from './look.ts';
import type { DiagnosticsStep } from './report.ts';

class TooSlowError extends Error {}

function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new TooSlowError()), limitMs);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** What a look that ended in an error says; what we do not know is told to the log and not to the report. */
function broken({ name, limitMs }: Look, error: unknown, tenantId: string, tools: ServiceTools): Finding {
  if (error instanceof TooSlowError || (error instanceof DOMException && error.name === 'TimeoutError'))
    return fail(`This took longer than ${duration(limitMs)} and was given up.`, 'Run the diagnosis again in a minute.');
  if (error instanceof GraphRequestError) {
    const { message, remedy } = explain(error);
    return fail(message, remedy);
  }
  if (error instanceof DatabaseUnavailableError)
    return fail(
      'The database did not answer.',
      'Look at the database and its connections, and run the diagnosis again.',
    );
  if (error instanceof BlobStoreError)
    return fail(
      `The store of recordings failed: ${error.message}.`,
      'Check BLOB_STORE, its rights and its free space.',
    );
  tools.logger.error({ tenantId, step: name, err: error }, '[TeamsMeetings] operation=diagnose a step broke');
  return fail(
    'This step broke by an error of this software.',
    `Report the step ${name} with the server’s log of this time.`,
  );
}

/** A look that throws before it promises anything has failed like any other. */
const startLook = async (look: Look, subject: Subject) => look.look(subject);

/**
 * Looks at everything side by side. What hangs is given up at its limit, what breaks is a failure of its own step.
 * @param onStep told of each step as it ends
 * @returns the steps in the order of the looks
 */
export async function runLooks(
  looks: readonly Look[],
  subject: Subject,
  tools: ServiceTools,
  onStep: (step: DiagnosticsStep) => void,
): Promise<DiagnosticsStep[]> {
  const results = await Promise.all(
    looks.map(async (look): Promise<DiagnosticsStep[]> => {
      const { name, title, limitMs } = look;
      const began = performance.now();
      const found = await within(limitMs, startLook(look, subject)).catch((error: unknown) =>
        broken(look, error, subject.scope.db.tenantId, tools),
      );
      const durationMs = Math.round(performance.now() - began);
      const steps = Array.isArray(found) ? found : [{ ...found, name, title, durationMs }];
      for (const step of steps) onStep(step);
      return steps;
    }),
  );
  return results.flat();
}
