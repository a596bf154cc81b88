import { expect, it } from 'vitest';
import { isSameSecret } from '../../../src/services/same-secret.ts';

it('secrets are the same or not, whatever their lengths', () => {
  expect([isSameSecret('a', 'a'), isSameSecret('a', 'b'), isSameSecret('a', 'ab'), isSameSecret('', '')]).toEqual([
    true,
    false,
    false,
    true,
  ]);
});
