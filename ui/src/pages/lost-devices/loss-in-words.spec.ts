import { describe, expect, it } from 'vitest';
import { lossInWords } from './loss-in-words.js';

const OPENED = '2026-11-23T03:00:00.000Z';
const CLOSED = '2026-11-23T03:00:03.100Z';
const NOW = Date.parse('2026-11-23T03:00:10.000Z');
const LATER = '2026-11-23T03:20:00.000Z';
const step = (state: 'done' | 'running' | 'needs_human' | 'waived', residualUntil: string | null = null) => ({
  state,
  attestedBy: null,
  residualUntil,
});
const onWord = { ...step('done'), attestedBy: 'Grace' };
const closed = { state: 'closed', openedAt: OPENED, closedAt: CLOSED } as const;
const open = { state: 'open', openedAt: OPENED, closedAt: null } as const;

describe('how a loss stands, in a sentence', () => {
  it('is done only when the tools have shown everything', () => {
    expect(lossInWords({ ...closed, steps: [step('done')] }, NOW)).toContain('3.1 s');
    expect(lossInWords({ ...open, steps: [step('done')] }, NOW)).toContain('is being cut');
  });

  it('names what waits for a person before anything else', () => {
    expect(lossInWords({ ...open, steps: [step('done'), step('needs_human')] }, NOW)).toContain(
      '1 step needs a person',
    );
  });

  it('never calls cut what somebody waived, nor what may still work', () => {
    expect(lossInWords({ ...closed, steps: [step('done'), step('waived')] }, NOW)).toContain('not proved');
    expect(lossInWords({ ...closed, steps: [step('done', LATER)] }, NOW)).toContain('may still work');
    expect(lossInWords({ ...closed, steps: [step('done', CLOSED)] }, NOW)).toContain('each tool has shown it');
  });

  it('never says that a tool has shown what a person vouches for', () => {
    expect(lossInWords({ ...closed, steps: [step('done'), onWord] }, NOW)).toBe(
      'Everything is cut after 3.1 s, 1 step of it on a person’s word, which no tool can show.',
    );
    expect(lossInWords({ ...closed, steps: [step('done', LATER), onWord] }, NOW)).toBe(
      'Everything was cut after 3.1 s, 1 step of it on a person’s word, which no tool can show. 1 thing may still work for a while, see below.',
    );
  });
});
