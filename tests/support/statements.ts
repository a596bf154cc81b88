import pg from 'pg';

export interface SentStatement {
  text: string;
  values: unknown[];
}

let sent: SentStatement[] = [];
let isPatched = false;

/**
 * Counts what the `pg` client sends in this process: one for each statement, transaction control included. The
 * tenant's binding travels inside its statement and is not one of its own.
 */
export function countStatements(): { reset(): void; count(): number; sent(): readonly SentStatement[] } {
  if (!isPatched) {
    isPatched = true;
    const { prototype } = pg.Client as unknown as { prototype: { query: (...args: unknown[]) => unknown } };
    const send = prototype.query;
    prototype.query = function counted(...args) {
      const [query, values] = args as [string | Partial<SentStatement>, unknown[]?];
      const { text = '', values: own } = typeof query === 'string' ? { text: query } : query;
      sent.push({ text, values: values ?? own ?? [] });
      return send.apply(this, args);
    };
  }
  return {
    reset: () => {
      sent = [];
    },
    count: () => sent.length,
    sent: () => sent,
  };
}
