import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whyNotDecided, type Deciding } from './may-decide.js';

const NOW = new Date('2026-11-23T12:00:00Z');
const names = fc.constantFrom('Grace', 'grace ', 'Linus', 'ada@acme.example');
const people = fc.record({ id: fc.constantFrom('1', '2', '3'), name: names });
const requests: fc.Arbitrary<Deciding> = fc.record({
  state: fc.constantFrom('waiting', 'approved', 'refused'),
  expiresAt: fc.integer({ min: -5_000, max: 5_000 }).map((ms) => new Date(NOW.getTime() + ms)),
  requestedBy: people,
  subjects: fc.array(names, { maxLength: 2 }),
});
const fold = (name: string) => name.trim().toLowerCase();

describe('a decision about an approval', () => {
  it('is of another person, not of the subject, in time and the first one; of anybody else it is taken', () => {
    fc.assert(
      fc.property(requests, people, (request, actor) => {
        const { state, expiresAt, requestedBy, subjects } = request;
        const isSame = actor.id === requestedBy.id || fold(actor.name) === fold(requestedBy.name);
        const isSubject = subjects.some((subject) => fold(subject) === fold(actor.name));
        const isOpen = state === 'waiting' && expiresAt > NOW;
        expect(whyNotDecided(request, actor, NOW) === null).toBe(isOpen && !isSame && !isSubject);
      }),
    );
  });

  it('says what is in the way by a kind that callers can act on', () => {
    const open: Deciding = {
      state: 'waiting',
      expiresAt: new Date(NOW.getTime() + 1),
      requestedBy: { id: '1', name: 'Grace' },
      subjects: ['ada@acme.example'],
    };
    const linus = { id: '2', name: 'Linus' };
    expect(whyNotDecided(open, linus, NOW)).toBeNull();
    expect(whyNotDecided({ ...open, state: 'approved' }, linus, NOW)?.kind).toBe('conflict');
    expect(whyNotDecided({ ...open, expiresAt: NOW }, linus, NOW)?.kind).toBe('gone');
    expect(whyNotDecided(open, open.requestedBy, NOW)?.kind).toBe('forbidden');
    expect(whyNotDecided(open, { id: '4', name: 'Ada@acme.example' }, NOW)?.kind).toBe('forbidden');
  });
});
