import { describe, expect, it } from 'vitest';
import { BY_PEOPLE, describeRun, runSeeds, tellSeed, TRANSITIONS, type SeedsRun } from './run-seeds.js';

/** One seed, to be told its story; or how many to simulate. */
const { QM_SEED, QM_SEEDS = '10000' } = process.env;

describe('the engine’s decisions, simulated,', () => {
  it(`break no invariant in ${QM_SEED ? `seed ${QM_SEED}` : `${QM_SEEDS} histories, and take every transition that there is`}`, () => {
    if (QM_SEED) console.log(tellSeed(Number(QM_SEED)));
    const run = QM_SEED ? runSeeds(Number(QM_SEED), 1) : runSeeds(1, Number(QM_SEEDS));
    console.log(describeRun(run));
    const [broken] = run.failed;
    if (broken) {
      const which = run.failed.map(({ seed }) => seed).join(', ');
      throw new Error(`${run.failed.length} seeds are broken: ${which}. The first:\n${tellSeed(broken.seed)}`);
    }
    expect(run.fewestEvents).toBeGreaterThanOrEqual(100);
    if (!QM_SEED) expectAllTransitions(run);
  }, 600_000);
});

function expectAllTransitions({ coverage }: SeedsRun): void {
  const takenBy = (who: 'engine' | 'people') =>
    TRANSITIONS.filter((transition) => (coverage.get(transition)?.[who] ?? 0) > 0);
  expect(takenBy('engine')).toEqual(TRANSITIONS.filter((transition) => !BY_PEOPLE.includes(transition)));
  expect(takenBy('people')).toEqual(TRANSITIONS.filter((transition) => BY_PEOPLE.includes(transition)));
}
