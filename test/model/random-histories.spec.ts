import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineHarness } from './engine-harness.js';
import { history } from './history.js';
import { ModelRun } from './model-run.js';

/** How many histories, from which seed; and the path that fast-check prints with a failure, to live that one alone. */
const { QM_MODEL_HISTORIES = '25', QM_MODEL_SEED = '1', QM_MODEL_PATH } = process.env;

let harness: EngineHarness;
beforeAll(async () => {
  harness = await EngineHarness.start();
});
afterAll(() => harness?.stop());

describe('the real engine, through random histories,', () => {
  it('does what the model says', { timeout: 3_600_000 }, async () => {
    const began = performance.now();
    let [lived, happened] = [0, 0];
    const property = fc.asyncProperty(history, async (happenings) => {
      await harness.forget();
      await new ModelRun(harness).live(happenings);
      lived += 1;
      happened += happenings.length;
    });
    await fc.assert(property, {
      numRuns: Number(QM_MODEL_HISTORIES),
      seed: Number(QM_MODEL_SEED),
      ...(QM_MODEL_PATH && { path: QM_MODEL_PATH }),
    });
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    console.log(
      `${lived} histories of ${happened} happenings on the real engine in ${seconds} s, all as the model says`,
    );
    expect(lived).toBeGreaterThan(0);
  });
});
