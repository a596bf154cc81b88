import { expect, it } from 'vitest';
import { operationNameIn } from '../../../explorer/operation-name.ts';

const TWO = 'mutation Refresh { a } query Meetings { b }';

it.each([
  ['the one that was chosen', TWO, 'Meetings', 'Meetings'],
  ['the first where a tab before this one is still named', TWO, 'Verify', 'Refresh'],
  ['the only one where none is named yet', 'query Search { b }', null, 'Search'],
  ['none of a document whose operation has no name', '{ b }', 'Verify', undefined],
  ['what was named where the document cannot be read', 'query {', 'Verify', 'Verify'],
])('the operation that is run is %s', (_which, query, named, wanted) => {
  expect(operationNameIn(query, named)).toBe(wanted);
});
