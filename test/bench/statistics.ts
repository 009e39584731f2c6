/** Nearest rank: a value that was really seen, never one between two. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new Error('there are no values to rank');
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.min(sorted.length, Math.max(1, Math.ceil(share * sorted.length)));
  return sorted[rank - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export interface Spread {
  median: number;
  low: number;
  high: number;
  /** How many values it is of. */
  count: number;
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    median: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    count: values.length,
  };
}

/**
 * How a latency grows with a size: the slope of log(latency) over log(size) by least squares. 0: it doesn't grow; 1: ten
 * times as much waiting takes ten times as long.
 */
export function growthExponent(points: readonly { size: number; latency: number }[]): number {
  return slopeOf(points.map(({ size, latency }) => ({ x: Math.log(size), y: Math.log(latency) })));
}

/** Of the line through the points, by least squares. */
export function slopeOf(points: readonly { x: number; y: number }[]): number {
  if (points.length < 2) throw new Error('a slope needs two points or more');
  const mean = (of: 'x' | 'y') => points.reduce((sum, point) => sum + point[of], 0) / points.length;
  const [meanX, meanY] = [mean('x'), mean('y')];
  const covariance = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const variance = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return covariance / variance;
}
