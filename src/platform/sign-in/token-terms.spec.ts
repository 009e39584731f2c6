import { expect, it } from 'vitest';
import { beyondMaker, endOfToken } from './token-terms.js';

const NOW = new Date('2026-03-01T12:00:00Z');

it('a token is good for 90 days when nothing else is wished', () => {
  expect(endOfToken(undefined, NOW)).toEqual(new Date('2026-05-30T12:00:00Z'));
});

it('a token may be good for a year, and for no longer', () => {
  const year = new Date('2027-03-01T23:59:59Z');
  expect(endOfToken(year, NOW)).toBe(year);
  expect(() => endOfToken(new Date('2027-03-02T00:00:00Z'), NOW)).toThrow('365 days');
  expect(() => endOfToken(NOW, NOW)).toThrow('to come');
});

it('a token may do what its maker may, and names what is beyond', () => {
  expect(beyondMaker(['people:read', 'tools:write'], ['people:read'])).toEqual(['tools:write']);
});
