import { describe, expect, it } from 'vitest';
import { isFinished, progressOf, STEP_STATE_LOOKS } from './step-states.js';

describe('the states of a step', () => {
  it('have a shape of their own each, and are good only when the tool has shown it', () => {
    const looks = Object.entries(STEP_STATE_LOOKS);
    expect(new Set(looks.map(([, { shape }]) => shape)).size).toBe(looks.length);
    expect(looks.filter(([, { tone }]) => tone === 'good').map(([state]) => state)).toEqual(['done']);
    expect((['done', 'waived', 'superseded', 'needs_human'] as const).filter(isFinished)).toHaveLength(3);
  });

  it('add up to progress: what was superseded isn’t waited for, what was waived isn’t done', () => {
    const steps = (['done', 'running', 'superseded', 'waived', 'needs_human'] as const).map((state) => ({ state }));
    expect(progressOf(steps)).toMatchObject({ done: 1, all: 4, needsHuman: 1, words: '1 of 4 done, 1 needs a person' });
  });
});
