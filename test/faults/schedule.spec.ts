import { describe, expect, it } from 'vitest';
import { Random } from './random.js';
import { drawSlots, ROWS } from './schedule.js';

const seeds = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe('a schedule', () => {
  it('has three to six faults, and is the same each time', () => {
    for (const seed of seeds(1, 100)) {
      const slots = drawSlots(seed);
      expect(slots.length).toBeGreaterThanOrEqual(3);
      expect(slots.length).toBeLessThanOrEqual(6);
      expect(drawSlots(seed)).toEqual(slots);
    }
  });

  it('meets every row within any twenty seeds', () => {
    for (const first of seeds(1, 50)) {
      const met = new Set(seeds(first, 20).flatMap((seed) => drawSlots(seed).map(({ row }) => row)));
      expect([...met].toSorted()).toEqual([...ROWS].toSorted());
    }
  });

  it('differs from seed to seed', () => {
    const all = seeds(1, 20).map((seed) => JSON.stringify(drawSlots(seed)));
    expect(new Set(all).size).toBe(20);
  });
});

describe('chance', () => {
  it('replays from its label, and a fork does not depend on earlier draws', () => {
    const one = new Random('a');
    const other = new Random('a');
    one.next();
    expect(one.fork('b').next()).toBe(other.fork('b').next());
    expect(new Random('c').shuffle([1, 2, 3, 4, 5])).toEqual(new Random('c').shuffle([1, 2, 3, 4, 5]));
  });
});
