import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SERVE_VARIABLES } from '../../src/config.ts';

/** Read by commands other than `npm run serve`. */
const OF_OTHERS = ['MIGRATION_DATABASE_URL', 'DATA_DIRECTORY'];
/** Set by `npm start` alone; refused in production. */
const OF_NO_OPERATOR = ['DEVELOPMENT_SECRETS'];

it('.env.example has every variable that a server reads, and no other', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const named = [...text.matchAll(/^([A-Z][A-Z_0-9]*)=/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual(
    [...SERVE_VARIABLES, ...OF_OTHERS].filter((name) => !OF_NO_OPERATOR.includes(name)).toSorted(),
  );
});
