import { readFileSync } from 'node:fs';

const MARK = (name: string) => new RegExp(`(<!-- ${name} -->\\n+\`\`\`text\\n)(.*?)(\\n\`\`\`)`, 's');

/** The block of text that follows the mark of this name in a page of the documentation. */
export function inDocs(page: string, name: string): string | undefined {
  return MARK(name).exec(readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8'))?.[2];
}
