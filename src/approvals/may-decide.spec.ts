import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSamePerson, type Somebody } from '../platform/sign-in/somebody.js';
import { VALID_MS, whyNotDecided, whyNotDone, type Deciding, type Given } from './may-decide.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const names = fc.constantFrom('Grace', 'grace ', 'Linus', 'ada@acme.example');
const some = (of: fc.Arbitrary<string>) => fc.uniqueArray(of, { maxLength: 2 });
const known = (ids: string[]) => ids.map((id) => ({ id, corporateEmail: 'ada@acme.example' }));
const people: fc.Arbitrary<Somebody> = fc.record({
  ids: fc.uniqueArray(fc.constantFrom('1', '2', '3'), { minLength: 1, maxLength: 2 }),
  people: some(fc.constantFrom('p', 'q')).map(known),
  name: names,
  isPerson: fc.boolean(),
});
const requests: fc.Arbitrary<Deciding> = fc.record({
  state: fc.constantFrom('waiting', 'approved', 'refused'),
  expiresAt: fc.integer({ min: -5_000, max: 5_000 }).map((ms) => new Date(NOW.getTime() + ms)),
  requestedBy: people,
  about: fc.record({
    people: some(fc.constantFrom('p', 'q')).map(known),
    principals: some(fc.constantFrom('1', '2', '3')),
  }),
});

describe('a decision about an approval', () => {
  it('is of another person, not of the subject, in time and the first one; of anybody else it is taken', () => {
    fc.assert(
      fc.property(requests, people, (request, actor) => {
        const { state, expiresAt, requestedBy, about } = request;
        const isNamed = actor.people.length === 0 && actor.name === 'ada@acme.example';
        const isSubject =
          about.principals.some((id) => actor.ids.includes(id)) ||
          about.people.some(({ id }) => actor.people.some((one) => one.id === id) || isNamed);
        const isOpen = state === 'waiting' && expiresAt > NOW;
        const may = isOpen && actor.isPerson && !isSamePerson(requestedBy, actor) && !isSubject;
        expect(whyNotDecided(request, actor, NOW) === null).toBe(may);
      }),
    );
  });

  it('says what is in the way by a kind that callers can act on', () => {
    const somebody = (id: string, name: string): Somebody => ({ ids: [id], people: [], name, isPerson: true });
    const open: Deciding = {
      state: 'waiting',
      expiresAt: new Date(NOW.getTime() + 1),
      requestedBy: somebody('1', 'Grace'),
      about: { people: [{ id: 'p', corporateEmail: 'ada@acme.example' }], principals: ['5'] },
    };
    const linus = somebody('2', 'Linus');
    expect(whyNotDecided(open, linus, NOW)).toBeNull();
    expect(whyNotDecided({ ...open, state: 'approved' }, linus, NOW)?.kind).toBe('conflict');
    expect(whyNotDecided({ ...open, expiresAt: NOW }, linus, NOW)?.kind).toBe('gone');
    expect(whyNotDecided(open, open.requestedBy, NOW)?.kind).toBe('forbidden');
    expect(whyNotDecided(open, somebody('4', 'Ada@acme.example'), NOW)?.kind).toBe('forbidden');
    expect(whyNotDecided(open, somebody('5', 'Ada'), NOW)?.kind).toBe('forbidden');
    expect(whyNotDecided(open, { ...linus, isPerson: false }, NOW)?.because).toContain('token');
  });
});

it('what was approved is done by who asked for it, within half an hour, and by nobody else', () => {
  const givens: fc.Arbitrary<Given> = fc.record({
    state: fc.constantFrom('waiting', 'approved', 'refused'),
    requestedById: fc.constantFrom('1', '2'),
    decidedAt: fc.option(fc.integer({ min: 0, max: 2 * VALID_MS }).map((ms) => new Date(NOW.getTime() - ms))),
  });
  fc.assert(
    fc.property(givens, (given) => {
      const { state, requestedById, decidedAt } = given;
      const isYoung = decidedAt !== null && NOW.getTime() - decidedAt.getTime() < VALID_MS;
      const may = state === 'approved' && requestedById === '1' && isYoung;
      expect(whyNotDone(given, '1', NOW) === null).toBe(may);
    }),
  );
});
