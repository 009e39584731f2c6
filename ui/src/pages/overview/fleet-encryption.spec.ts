import { describe, expect, it } from 'vitest';
import type { FleetEncryption } from '../../api/types.js';
import { ageCounts, shareInWords } from './fleet-encryption.js';

const LIMITS = [3_600, 86_400, 604_800, 2_592_000, null];

const stateOf = (state: FleetEncryption['states'][number]['state'], ...devices: number[]) => ({
  state,
  devices: devices.reduce((sum, count) => sum + count, 0),
  share: 0,
  askedInVain: 0,
  ages: LIMITS.map((youngerThanSeconds, index) => ({ youngerThanSeconds, devices: devices[index] ?? 0 })),
});

describe('the encryption of the fleet', () => {
  it('is counted by the age of what is known; of whom nothing is known it is never old, and never a no', () => {
    const states = [stateOf('encrypted', 1, 2, 3, 4, 5), stateOf('not_encrypted', 0, 0, 0, 0, 1), stateOf('unknown')];
    const fleet = { at: '2026-11-23T14:05:00Z', devices: 20, states, oldest: null };
    expect(ageCounts(fleet)).toEqual([
      { age: 'day', devices: 3 },
      { age: 'week', devices: 3 },
      { age: 'month', devices: 4 },
      { age: 'older', devices: 6 },
      { age: 'never', devices: 4 },
    ]);
  });

  it.each([
    [0, 10, '0 %'],
    [1, 1_000, 'under 1 %'],
    [910, 1_000, '91 %'],
    [999, 1_000, 'over 99 %'],
    [10, 10, '100 %'],
    [0, 0, '0 %'],
  ])('%i of %i is told as %s: all only when it is all of them, none only when it is none', (part, whole, word) => {
    expect(shareInWords(part, whole)).toBe(word);
  });
});
