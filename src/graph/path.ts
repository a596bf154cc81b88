import { unanswered } from './network-failure.ts';

/** A path as it is sent, and as it is logged. */
export interface GraphPath {
  path: string;
  template: string;
}

/**
 * Fills the `{names}` of a template with percent-encoded ids; ids of meetings, events and transcripts contain `=`,
 * `+` and `/`.
 * @throws GraphRequestError INVALID_REQUEST for an id that would change the path: empty, `.` or `..`.
 */
export function graphPath(template: string, ids: Record<string, string>): GraphPath {
  const path = template.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const id = ids[name] ?? '';
    if (id === '' || id === '.' || id === '..') throw unanswered('INVALID_REQUEST', `${name} is not an id`);
    return encodeURIComponent(id);
  });
  return { path, template };
}

/** A text as OData literal; its quotation marks are doubled. Not yet encoded for a query. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text as OData literal inside a query, percent-encoded exactly once. */
export function encodedLiteral(text: string): string {
  return encodeURIComponent(literal(text));
}
