import { describe, expect, it } from 'vitest';
import { previewDecision } from './bulk-decisions.js';

const STEP = { state: 'needs_human', personId: 'somebody', attestedBy: null } as const;
const CHAT = { name: 'Chat', isByHand: false, isPaused: false };

describe('what would come of deciding about many steps', () => {
  it('says where it is tried again, and that a paused tool is asked later', () => {
    expect(previewDecision(STEP, 'retry', CHAT, null)).toEqual({ will: expect.stringContaining('Chat is asked') });
    const paused = previewDecision(STEP, 'retry', { ...CHAT, isPaused: true }, null);
    expect(paused).toEqual({ will: expect.stringContaining('paused') });
    expect(previewDecision(STEP, 'retry', undefined, null)).toHaveProperty('will');
  });

  it('says what a waiver leaves as it is', () => {
    expect(previewDecision(STEP, 'waive', CHAT, null)).toEqual({ will: expect.stringContaining('may go on') });
  });

  it.each([
    ['it is over by now', { ...STEP, state: 'done' as const }, CHAT, null],
    ['it is the decider’s own access', STEP, CHAT, 'somebody'],
    ['somebody said that they did it', { ...STEP, attestedBy: 'Grace' }, CHAT, null],
  ])('leaves a step out when %s', (_why, step, tool, caller) => {
    for (const decision of ['retry', 'waive'] as const) {
      expect(previewDecision(step, decision, tool, caller)).toHaveProperty('cannot');
    }
  });

  it('tries nothing again where only people do anything, and lets it be waived', () => {
    const byHand = { ...CHAT, isByHand: true };
    expect(previewDecision(STEP, 'retry', byHand, null)).toEqual({ cannot: expect.stringContaining('by hand') });
    expect(previewDecision(STEP, 'waive', byHand, null)).toHaveProperty('will');
  });
});
