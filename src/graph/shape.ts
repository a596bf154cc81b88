import type { z } from 'zod';
import { GraphRequestError } from './errors.ts';

/** Which answer is read, for the failure that tells of it. */
export interface AnswerSource {
  operation: string;
  status: number;
  requestId: string | null;
}

/**
 * The value in the shape of `schema`.
 * @throws GraphRequestError UNKNOWN, which names the fields that do not fit and nothing of their content.
 */
export function shaped<T>(value: unknown, schema: z.ZodType<T>, source: AnswerSource): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const where = result.error.issues.map((issue) => issue.path.join('.') || 'body').join(', ');
  throw new GraphRequestError({
    kind: 'UNKNOWN',
    message: `Microsoft Graph answered ${source.operation} in an unexpected shape (${where})`,
    status: source.status,
    code: null,
    innermostCode: null,
    requestId: source.requestId,
    retryAfterMs: null,
    mayHaveWorked: true,
  });
}

/** The text as JSON; undefined when it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
