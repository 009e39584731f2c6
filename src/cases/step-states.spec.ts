import { describe, expect, it } from 'vitest';
import { EFFECT_OF, FINISHED, STEP_ACTS, STEP_STATES, STEP_TRANSITIONS, type StepState } from './step-states.js';

const nextOf = (state: StepState): readonly StepState[] => STEP_TRANSITIONS[state];

describe('the states of a step', () => {
  it('lead nowhere once it is finished, and always somewhere before', () => {
    for (const state of STEP_STATES) expect(nextOf(state).length === 0).toBe(FINISHED.includes(state));
  });

  it('leave a way to an end from each of them', () => {
    for (const start of STEP_STATES) {
      const reached = new Set<StepState>([start]);
      for (const state of reached) for (const next of nextOf(state)) reached.add(next);
      expect([start, [...reached].some((state) => FINISHED.includes(state))]).toEqual([start, true]);
    }
  });

  it('let nothing be done that was not run or decided by a person', () => {
    const before = STEP_STATES.filter((state) => nextOf(state).includes('done'));
    expect(before.toSorted()).toEqual(['confirming', 'needs_human', 'running']);
  });

  it('let nothing be waived while it runs or is read back', () => {
    for (const state of ['ready', 'running', 'confirming'] as const) expect(nextOf(state)).not.toContain('waived');
  });
});

describe('the effect of an act', () => {
  it('is to take away for each act after which less is possible', () => {
    const revoking = STEP_ACTS.filter((act) => EFFECT_OF[act] === 'revoke');
    expect(revoking.toSorted()).toEqual(['reset_credentials', 'revoke_device', 'suspend_account', 'withdraw']);
  });
});
