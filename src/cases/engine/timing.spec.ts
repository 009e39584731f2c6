import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoff, TIMING } from './timing.js';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoff', () => {
  it('lies in the upper half of a ceiling that doubles from half a second and ends at a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), chance, (failures, random) => {
        const ceiling = Math.min(60_000, 500 * 2 ** (failures - 1));
        const wait = backoff(failures, random);
        expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
        expect(wait).toBeLessThanOrEqual(ceiling);
      }),
    );
  });

  it('is never shorter after one failure more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), chance, (failures, random) => {
        expect(backoff(failures + 1, random)).toBeGreaterThanOrEqual(backoff(failures, random));
      }),
    );
    expect(backoff(2, 0.5)).toBeGreaterThan(backoff(1, 0.5));
  });

  it('spreads the retries of a storm', () => {
    const waits = new Set(Array.from({ length: 100 }, (_, index) => backoff(8, index / 100)));
    expect(waits.size).toBeGreaterThan(90);
  });

  it('waits as after the first failure when none was counted', () => {
    expect(backoff(0, 0.5)).toBe(backoff(1, 0.5));
    expect(backoff(1, 0)).toBe(250);
  });
});

describe('the times fit together', () => {
  it('a lease outlives two renewals that fail', () => {
    expect(TIMING.lease).toBeGreaterThan(2 * TIMING.renewal);
  });

  it('work of a lost worker, or of an emptied Redis, goes on within 5 seconds', () => {
    expect(TIMING.lease + TIMING.sweep + TIMING.poll).toBeLessThan(5_000);
    expect(TIMING.handedOver + TIMING.sweep + TIMING.poll).toBeLessThan(5_000);
  });

  it('a worker without a sign of life ends itself within 10 seconds (I9), several heartbeats later', () => {
    expect(TIMING.silence).toBeLessThanOrEqual(10_000);
    expect(TIMING.silence).toBeGreaterThanOrEqual(5 * TIMING.heartbeat);
  });
});
