import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, divideLimits, limitsOf } from './tool-budgets.js';

describe('divideLimits', () => {
  it('reserves a quarter of the default limits for emergencies, out of the whole', () => {
    const rows = divideLimits(DEFAULT_LIMITS);
    expect(rows).toEqual([
      { share: 'shared', concurrency: 6, callsPerSecond: 15, burst: 15 },
      { share: 'reserved', concurrency: 2, callsPerSecond: 5, burst: 5 },
    ]);
    expect(limitsOf(rows)).toEqual(DEFAULT_LIMITS);
  });

  it.each([
    [1, 1, 2],
    [2, 1, 2],
    [3, 1, 2],
    [4, 2, 2],
    [20, 15, 5],
  ])('divides %i calls at a time into %i and %i', (maxConcurrency, shared, reserved) => {
    const rows = divideLimits({ maxConcurrency, callsPerSecond: 20 });
    expect(rows.map(({ concurrency }) => concurrency)).toEqual([shared, reserved]);
  });

  it('keeps both lanes going at a tool that bears less than a call a second', () => {
    for (const row of divideLimits({ maxConcurrency: 1, callsPerSecond: 0.2 })) {
      expect(row.callsPerSecond).toBeGreaterThan(0);
      expect(row.burst).toBeGreaterThanOrEqual(1);
    }
  });
});
