import type { LoggedRequest } from './control-types.ts';

const LIMIT = 10_000;

/** What was asked of the simulator, newest last; bounded, so that a long run does not grow for ever. */
export class RequestLog {
  #entries: LoggedRequest[] = [];

  /** Adds the entry; the caller fills in its status when it is known. */
  add(entry: LoggedRequest): LoggedRequest {
    this.#entries.push(entry);
    if (this.#entries.length > LIMIT) this.#entries.splice(0, LIMIT / 10);
    return entry;
  }

  clear(): void {
    this.#entries = [];
  }

  list(filter: { method?: string; path?: string; host?: string }): LoggedRequest[] {
    const path = new RegExp(filter.path ?? '', 'i');
    return this.#entries.filter(
      (entry) =>
        (filter.method === undefined || entry.method === filter.method.toUpperCase()) &&
        (filter.host === undefined || entry.host === filter.host) &&
        path.test(decodePath(entry.path)),
    );
  }
}

/** Percent-decodes for matching; text that is not valid stays as it is. */
export function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Headers for the log: credentials are reduced to their scheme. */
export function safeHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const safe: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(', ') : value;
    safe[name] = name === 'authorization' || name === 'cookie' ? `${text.split(' ')[0]} (hidden)` : text;
  }
  return safe;
}
