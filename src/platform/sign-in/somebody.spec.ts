import { describe, expect, it } from 'vitest';
import { isSamePerson, isThisPerson, type Somebody } from './somebody.js';

const somebody = (fields: Partial<Somebody>): Somebody => ({
  ids: ['x'],
  people: [],
  names: [],
  isPerson: true,
  ...fields,
});

describe('two who act are one person', () => {
  it.each([
    ['by one sign-in', { ids: ['user:1'] }, { ids: ['user:1'] }],
    ['by a token that is bound to it', { ids: ['user:1'] }, { ids: ['token', 'user:1'] }],
    ['by two sign-ins of one person', { ids: ['user:1'], people: ['p'] }, { ids: ['user:2'], people: ['p'] }],
    ['by the name at a terminal, in other letters', { ids: ['terminal:ada'], names: ['Ada '] }, { names: ['ada'] }],
    ['by the name, where only one is linked', { ids: ['1'], people: ['p'], names: ['Ada'] }, { names: ['ada'] }],
    ['by an address', { ids: ['1'], people: ['p'], names: ['A', 'ada@acme.example'] }, { names: ['Ada@acme.example'] }],
  ])('%s', (_how, one, other) => {
    expect(isSamePerson(somebody(one), somebody(other))).toBe(true);
    expect(isSamePerson(somebody(other), somebody(one))).toBe(true);
  });

  it.each([
    ['another name', { ids: ['1'], names: ['Ada'] }, { ids: ['2'], names: ['Grace'] }],
    [
      'one name, linked to two people',
      { ids: ['1'], people: ['p'], names: ['Ada'] },
      { ids: ['2'], people: ['q'], names: ['Ada'] },
    ],
  ])('and not with %s', (_how, one, other) => {
    expect(isSamePerson(somebody(one), somebody(other))).toBe(false);
  });
});

it('who is linked to somebody is them and nobody else, whatever they are called; another one by the address', () => {
  const ada = { id: 'p', corporateEmail: 'ada@acme.example' };
  expect(isThisPerson(somebody({ people: ['p'], names: ['Whoever'] }), ada)).toBe(true);
  expect(isThisPerson(somebody({ people: ['q'], names: ['ada@acme.example'] }), ada)).toBe(false);
  expect(isThisPerson(somebody({ names: ['ADA@acme.example'] }), ada)).toBe(true);
  expect(isThisPerson(somebody({ names: ['Ada'] }), ada)).toBe(false);
});
