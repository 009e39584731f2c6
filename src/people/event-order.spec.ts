import { expect, it } from 'vitest';
import { orderOf } from './event-order.js';

const noon = new Date('2026-03-01T12:00:00.000Z');
const later = new Date('2026-03-01T12:00:00.001Z');

it.each([
  ['a later instant is newer, whatever its sequence', { at: later, sequence: 0 }, { at: noon, sequence: 9 }, 'newer'],
  [
    'an earlier instant is outdated, whatever its sequence',
    { at: noon, sequence: 9 },
    { at: later, sequence: 0 },
    'outdated',
  ],
  ['at one instant the higher sequence is newer', { at: noon, sequence: 2 }, { at: noon, sequence: 1 }, 'newer'],
  ['at one instant the lower sequence is outdated', { at: noon, sequence: 1 }, { at: noon, sequence: 2 }, 'outdated'],
  ['the same place is a tie', { at: noon, sequence: 1 }, { at: noon, sequence: 1 }, 'tie'],
] as const)('%s', (_promise, event, applied, expected) => {
  expect(orderOf(event, applied)).toBe(expected);
});
