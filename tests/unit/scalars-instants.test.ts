import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantText, scalars } from '../../src/resolvers/scalars.ts';

describe('DateTime in answers', () => {
  it('is written as ECMAScript writes an instant, whichever it is', () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (instant) => {
        expect(instantText(instant)).toBe(instant.toISOString());
      }),
      { numRuns: 2_000 },
    );
  });

  it('has every digit at the borders of days, months and years', () => {
    for (const text of ['1000-01-01T00:00:00.000Z', '2028-02-29T23:59:59.999Z', '9999-12-31T23:59:59.009Z'])
      expect(instantText(new Date(text))).toBe(text);
  });

  it('is refused where there is no instant', () => {
    expect(() => scalars.DateTime.serialize(new Date(Number.NaN))).toThrow(/Invalid|invalid/);
    expect(() => scalars.DateTime.serialize('tomorrow')).toThrow();
  });
});
