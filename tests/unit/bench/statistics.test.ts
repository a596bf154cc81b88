import { describe, expect, it } from 'vitest';
import { median, percentile, slopeOf } from '../../../bench/support/statistics.ts';

describe('percentile and median', () => {
  it('take a value that was there, whatever the order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(percentile([5, 1, 4, 2, 3], 0.99)).toBe(5);
    expect(percentile([5, 1, 4, 2, 3], 0)).toBe(1);
  });

  it('of nothing are no number', () => {
    expect(median([])).toBeNaN();
  });
});

describe('slopeOf', () => {
  it('tells a line exactly, without an error', () => {
    const { slope, standardError } = slopeOf([0, 1, 2, 3].map((x) => ({ x, y: 2 * x + 5 })));
    expect(slope).toBeCloseTo(2);
    expect(standardError).toBeCloseTo(0);
  });

  it('tells how far noise may have bent it', () => {
    const points = [1, -1, 1, -1, 1, -1, 1, -1].map((noise, x) => ({ x, y: 0.01 * x + noise }));
    const { slope, standardError } = slopeOf(points);
    expect(Math.abs(slope)).toBeLessThan(2 * standardError);
    // By the textbook: the square root of the residuals' variance over the spread of x, which is 42.
    const residuals = points.map(({ x, y }) => y - (0.01 * 3.5 + slope * (x - 3.5)));
    const expected = Math.sqrt(residuals.reduce((sum, one) => sum + one * one, 0) / 6 / 42);
    expect(standardError).toBeCloseTo(expected);
  });

  it('of two points is no number', () => {
    expect(slopeOf([{ x: 0, y: 1 }]).slope).toBeNaN();
  });
});
