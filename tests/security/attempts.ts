import { it } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** The class of attacks that a test is an attempt of. */
    attack?: string;
  }
}

/**
 * Makes the tests of one class of attacks: each is one attempt, named after what it tries, and counted in the table of
 * `npm run attack`. An attempt that passes got nothing.
 */
export function attempts(attack: string): (title: string, attempt: () => Promise<void> | void) => void {
  return (title, attempt) => {
    it(title, { meta: { attack } }, attempt);
  };
}
