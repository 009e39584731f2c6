import { describe, expect, it } from 'vitest';
import { isSamePerson, isThisPerson, type Somebody } from './somebody.js';

const p = { id: 'p', corporateEmail: 'ada@acme.example' };
const q = { id: 'q', corporateEmail: 'grace@acme.example' };
const somebody = (fields: Partial<Somebody>): Somebody => ({
  ids: ['x'],
  people: [],
  name: '',
  isPerson: true,
  ...fields,
});

describe('two who act are one person', () => {
  it.each([
    ['by one sign-in', { ids: ['user:1'] }, { ids: ['user:1'] }],
    ['by a token that is bound to it', { ids: ['user:1'] }, { ids: ['token', 'user:1'] }],
    ['by two sign-ins of one person', { ids: ['user:1'], people: [p] }, { ids: ['user:2'], people: [p] }],
    ['by the name at a terminal, in other letters', { ids: ['terminal:ada'], name: 'Ada ' }, { name: 'ada' }],
    ['by the name, where only one is linked', { ids: ['1'], people: [p], name: 'Ada' }, { name: 'ada' }],
    ['by an address', { ids: ['1'], people: [p], name: 'A' }, { name: 'Ada@acme.example' }],
  ])('%s', (_how, one, other) => {
    expect(isSamePerson(somebody(one), somebody(other))).toBe(true);
    expect(isSamePerson(somebody(other), somebody(one))).toBe(true);
  });

  it.each([
    ['another name', { ids: ['1'], name: 'Ada' }, { ids: ['2'], name: 'Grace' }],
    [
      'one name, linked to two people',
      { ids: ['1'], people: [p], name: 'Ada' },
      { ids: ['2'], people: [q], name: 'Ada' },
    ],
  ])('and not with %s', (_how, one, other) => {
    expect(isSamePerson(somebody(one), somebody(other))).toBe(false);
  });
});

it('who is linked to somebody is them and nobody else, whatever they are called; another one by the address', () => {
  expect(isThisPerson(somebody({ people: [p], name: 'Whoever' }), p)).toBe(true);
  expect(isThisPerson(somebody({ people: [q], name: 'ada@acme.example' }), p)).toBe(false);
  expect(isThisPerson(somebody({ name: 'ADA@acme.example' }), p)).toBe(true);
  expect(isThisPerson(somebody({ name: 'Ada' }), p)).toBe(false);
});
