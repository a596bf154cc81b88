import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BROKEN_TENANTS } from '../support/broken-tenants.ts';

const page = readFileSync('docs/verification.md', 'utf8');
const table = page.slice(page.indexOf('| broken | outcome |')).split('\n').slice(2).filter(Boolean);

it('docs/verification.md shows every way to be broken that is tested, and no other', () => {
  const cell = (names: string[]) => names.map((name) => `\`${name}\``).join(', ') || '–';
  expect(table).toEqual(
    BROKEN_TENANTS.map(
      ({ name, outcome, failing, warning }) => `| ${name} | \`${outcome}\` | ${cell(failing)} | ${cell(warning)} |`,
    ),
  );
});

it('docs/verification.md explains every check that can fail or warn', () => {
  for (const { failing, warning } of BROKEN_TENANTS) {
    for (const name of [...failing, ...warning]) expect(page).toContain(`\n| \`${name}\` | `);
  }
});
