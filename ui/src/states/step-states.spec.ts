import { describe, expect, it } from 'vitest';
import { isFinished, progressOf, STEP_STATE_LOOKS, stepLooks } from './step-states.js';

describe('the states of a step', () => {
  it('have a shape of their own each, and are good only when the tool has shown it', () => {
    const looks = Object.entries(STEP_STATE_LOOKS);
    expect(new Set(looks.map(([, { shape }]) => shape)).size).toBe(looks.length);
    expect(looks.filter(([, { tone }]) => tone === 'good').map(([state]) => state)).toEqual(['done']);
    expect((['done', 'waived', 'superseded', 'needs_human'] as const).filter(isFinished)).toHaveLength(3);
  });

  it('add up to progress: what was superseded isn’t waited for, what was waived isn’t done', () => {
    const states = ['done', 'running', 'superseded', 'waived', 'needs_human'] as const;
    const steps = states.map((state) => ({ state, attestedBy: null }));
    expect(progressOf(steps)).toMatchObject({ done: 1, all: 4, needsHuman: 1, words: '1 of 4 done, 1 needs a person' });
  });

  it('tell apart what a tool has shown and what a person vouches for', () => {
    const onWord = { state: 'done', attestedBy: 'Grace' } as const;
    expect(stepLooks(onWord)).toMatchObject({ tone: 'over', word: 'done, on a person’s word' });
    expect(stepLooks({ state: 'done', attestedBy: null })).toMatchObject({ tone: 'good', word: 'done' });
    // Said already, and awaited: that another person confirms it.
    expect(stepLooks({ state: 'needs_human', attestedBy: 'Grace' })).toMatchObject({ tone: 'bad' });
    expect(progressOf([onWord, { state: 'done', attestedBy: null }])).toMatchObject({
      done: 2,
      onWord: 1,
      words: '2 of 2 done, 1 of them on a person’s word',
    });
  });
});
