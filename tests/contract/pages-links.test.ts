import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

const PAGES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md')];
const PICTURES = globSync('docs/pictures/*');
const LARGEST_PICTURE = 150_000;

/** The page without what is shown as code, in which a bracket is no link. */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8')
    .replace(/^```.*?^```/gms, '')
    .replace(/`[^`\n]*`/g, '');
}

/** The names by which GitHub lets the headings of a page be linked to. */
function anchorsOf(page: string): string[] {
  const text = readFileSync(page, 'utf8').replace(/^```.*?^```/gms, '');
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

interface Link {
  text: string;
  target: string;
  isPicture: boolean;
}

function linksOf(page: string): Link[] {
  return [...proseOf(page).matchAll(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, mark, text = '', target = '']) => ({
    text,
    target,
    isPicture: mark === '!',
  }));
}

const insideLinks = PAGES.flatMap((page) =>
  linksOf(page)
    .filter(({ target }) => !/^[a-z]+:/.test(target))
    .map(({ target }) => {
      const [path = '', anchor] = target.split('#');
      return { page, file: path === '' ? page : normalize(join(dirname(page), path)), anchor };
    }),
);

describe('the pages of the documentation', () => {
  it('link to what is there', () => {
    expect(insideLinks.length).toBeGreaterThan(20);
    expect(insideLinks.filter(({ file }) => !existsSync(file))).toEqual([]);
  });

  it('link to headings that are there', () => {
    const broken = insideLinks.filter(
      ({ file, anchor }) => anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).includes(anchor),
    );
    expect(broken).toEqual([]);
  });

  it('have one title each and leave out no level below it', () => {
    for (const page of PAGES) {
      const text = readFileSync(page, 'utf8').replace(/^```.*?^```/gms, '');
      const levels = [...text.matchAll(/^(#{1,6}) /gm)].map(([, marks = '']) => marks.length);
      expect([page, levels.filter((level) => level === 1).length]).toEqual([page, 1]);
      const jumps = levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1);
      expect([page, jumps]).toEqual([page, []]);
    }
  });

  it('say in words what a picture shows, show every one there is, and keep them small', () => {
    const shown = new Set(insideLinks.map(({ file }) => file));
    for (const picture of PICTURES) {
      expect([picture, shown.has(normalize(picture))]).toEqual([picture, true]);
      expect(statSync(picture).size).toBeLessThan(LARGEST_PICTURE);
    }
    for (const page of PAGES) {
      for (const { text, target } of linksOf(page).filter(({ isPicture }) => isPicture))
        expect([target, text.length > 20]).toEqual([target, true]);
    }
  });
});
