import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PAGE = readFileSync('docs/security.md', 'utf8');
const SUITE = globSync('tests/security/**/*.test.ts').map((path) => path.replaceAll('\\', '/'));

/** `tests/x.test.ts`, or with the title of a test in it: `tests/x.test.ts` “says nothing”. */
const CITED = [...PAGE.matchAll(/`(tests\/[\w./-]+)`(?: “([^”]+)”)?/g)].map(([, file = '', title]) => ({
  file,
  title,
}));

describe('the page about security', () => {
  it('cites tests that are there', () => {
    expect(CITED.length).toBeGreaterThan(30);
    expect(CITED.filter(({ file }) => !existsSync(file))).toEqual([]);
  });

  it('cites them by titles that they have', () => {
    const titled = CITED.filter(({ title }) => title !== undefined);
    expect(titled.length).toBeGreaterThan(10);
    const missing = titled.filter(({ file, title }) => !readFileSync(file, 'utf8').includes(title ?? ''));
    expect(missing).toEqual([]);
  });

  it('cites every file of the attack suite', () => {
    expect(SUITE.filter((file) => !CITED.some((cited) => cited.file === file))).toEqual([]);
  });

  it('looks at every point of the OWASP API Top 10', () => {
    const points = [...PAGE.matchAll(/^\| (API\d+):2023/gm)].map(([, point]) => point);
    expect(points).toEqual(Array.from({ length: 10 }, (_, n) => `API${n + 1}`));
  });
});
