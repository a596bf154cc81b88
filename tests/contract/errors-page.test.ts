import { readFile } from 'node:fs/promises';
import { type EnumTypeDefinitionNode, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/server/errors.ts';
import { USER_ERROR_CODES } from '../../src/services/failures.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const schema = parse(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8'));

function enumValues(name: string): string[] {
  const definition = schema.definitions.find(
    (node): node is EnumTypeDefinitionNode => node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === name,
  );
  return (definition?.values ?? []).map((value) => value.name.value);
}

/** The rows of the table under a heading: code, meaning, what to do. */
function rowsUnder(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe.each([
  ['User errors', [...USER_ERROR_CODES]],
  ['Request errors', [...ERROR_CODES]],
  ['Verification outcomes', enumValues('VerificationOutcome')],
])('the page of errors, “%s”', (heading, codes) => {
  it('has a row for each code and for no other, in the order of the code', () => {
    expect(codes.length).toBeGreaterThan(0);
    expect(rowsUnder(heading).map(([code]) => code)).toEqual(codes.map((code) => `\`${code}\``));
  });

  it.each(rowsUnder(heading))('says of %s what it means and what to do', (...cells) => {
    expect(cells).toHaveLength(3);
    for (const words of cells.slice(1)) expect(words).toMatch(/^[A-Z].*\.$/);
  });
});

it('the schema and the code know the same user errors', () => {
  expect(enumValues('UserErrorCode')).toEqual([...USER_ERROR_CODES]);
});
