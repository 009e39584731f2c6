import { describe, expect, it } from 'vitest';
import { DECISIONS } from '../model/decisions.js';
import { PLANTED_BUGS } from './planted-bugs.js';
import { tellSeed } from './run-seeds.js';
import { simulate } from './simulate.js';

/** Enough for the rarest; most are found within a hundred. */
const SEEDS = 4_000;

describe('the simulation finds it when', () => {
  it.each(PLANTED_BUGS)('$what ($kind)', ({ breaks, rules }) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { violation } = simulate(seed, new Map(), { rules });
      if (violation === null) continue;
      expect(violation).toMatch(breaks);
      // The same seed tells the same story again.
      expect(tellSeed(seed, rules)).toContain(violation);
      console.log(`found in seed ${seed}: ${violation.slice(0, 120)}`);
      return;
    }
    expect.unreachable(`not found in ${SEEDS} seeds`);
  });
});

describe('the planted bugs', () => {
  it.each(DECISIONS)('have one about %s at least', (kind) => {
    expect(PLANTED_BUGS.some((bug) => bug.kind === kind)).toBe(true);
  });
});
