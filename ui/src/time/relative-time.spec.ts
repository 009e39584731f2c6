import { describe, expect, it } from 'vitest';
import { duration, exactTime, relativeTime } from './relative-time.js';

const NOW = Date.parse('2026-11-23T13:05:00.200Z');
const ago = (ms: number) => relativeTime(NOW - ms, NOW, 'en');

describe('how long ago something was', () => {
  it.each([
    [0, 'now'],
    [900, '1 second ago'],
    [59_000, '59 seconds ago'],
    [125_000, '3 minutes ago'],
    [3 * 3_600_000, '3 hours ago'],
    [9 * 86_400_000, '9 days ago'],
  ])('%i ms: %s', (ms, told) => expect(ago(ms)).toBe(told));

  it('is never told younger than it is', () => {
    expect(ago(3 * 3_600_000 + 1)).toBe('4 hours ago');
  });

  it('may lie ahead', () => {
    expect(relativeTime(NOW + 14 * 60_000, NOW, 'en')).toBe('in 14 minutes');
  });
});

describe('an instant', () => {
  it('is exact to a tenth of a second, with its zone', () => {
    expect(exactTime(NOW, 'en-GB', 'Europe/Berlin')).toMatch(
      /^Mon, 23 Nov 2026, 14:05:00\.2 (CET|GMT\+1) \(Europe\/Berlin\)$/,
    );
  });
});

describe('a length of time', () => {
  it.each([
    [0, '0.0 s'],
    [312, '0.3 s'],
    [41_400, '41 s'],
    [185_000, '3 min 5 s'],
    [180_000, '3 min'],
    [7_800_000, '2 h 10 min'],
    [4 * 86_400_000 + 7_200_000, '4 d 2 h'],
  ])('%i ms: %s', (ms, told) => expect(duration(ms)).toBe(told));
});
