/** The value below which this share (0 to 1) of the values lies; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle one; of an even number, the upper of the two. */
export const median = (values: readonly number[]): number => percentile(values, 0.5);

/**
 * The straight line through points that leaves the least squares: how much it rises a unit of x, and how far that may be
 * wrong (one standard error). NaN for fewer than three points.
 */
export function slopeOf(points: readonly { x: number; y: number }[]): { slope: number; standardError: number } {
  const n = points.length;
  const mean = (pick: (point: { x: number; y: number }) => number) =>
    points.reduce((sum, point) => sum + pick(point), 0) / n;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const left = points.reduce((sum, { x, y }) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  if (n < 3) return { slope: Number.NaN, standardError: Number.NaN };
  return { slope, standardError: Math.sqrt(left / (n - 2) / spread) };
}
