import pg from 'pg';

let count = 0;
let isPatched = false;

/**
 * Counts what the `pg` client sends in this process: one for each statement, transaction control included. The
 * tenant's binding travels inside its statement and is not one of its own.
 */
export function countStatements(): { reset(): void; count(): number } {
  if (!isPatched) {
    isPatched = true;
    const { prototype } = pg.Client as unknown as { prototype: { query: (...args: unknown[]) => unknown } };
    const send = prototype.query;
    prototype.query = function counted(...args) {
      count += 1;
      return send.apply(this, args);
    };
  }
  return {
    reset: () => {
      count = 0;
    },
    count: () => count,
  };
}
