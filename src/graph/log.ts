/** What this module needs of a logger; pino's fits. Fields never hold tokens, links, bodies or ids of content. */
export interface GraphLogger {
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}
