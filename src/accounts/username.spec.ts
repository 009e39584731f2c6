import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markOf, readMark } from './mark.js';
import { clashesOf, usernameFor } from './username.js';

describe('usernameFor', () => {
  it.each([
    ['ada.lovelace@acme.example', 'ada.lovelace'],
    ['ada+demo@acme.example', 'ada-demo'],
    ["o'neil@acme.example", 'o-neil'],
    ['jörg@acme.example', 'jorg'],
    ['_ada_@acme.example', 'ada'],
    ['{}@acme.example', 'user'],
    [`${'a'.repeat(64)}@acme.example`, 'a'.repeat(63)],
  ])('makes %s into %s', (email, username) => {
    expect(usernameFor(email, 'local-part')).toBe(username);
  });

  it('takes the address as it is where the tool goes by addresses', () => {
    expect(usernameFor('ada+demo@acme.example', 'email')).toBe('ada+demo@acme.example');
  });

  it('never gives somebody a name that another person has', () => {
    expect(usernameFor('ada@acme.org', 'local-part', ['ADA'])).toBe('ada-2');
    expect(usernameFor('ada@acme.org', 'local-part', ['ada', 'ada-2'])).toBe('ada-3');
    const long = 'a'.repeat(63);
    expect(usernameFor(`${long}@acme.org`, 'local-part', [long])).toBe(`${'a'.repeat(61)}-2`);
  });

  it('is safe whatever stands before the @', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (localPart) => {
        const username = usernameFor(`${localPart}@acme.example`, 'local-part');
        expect(username).toMatch(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/);
      }),
    );
  });
});

describe('mark', () => {
  const personId = '0198c0de-0000-7000-8000-000000000001';

  it('names the person and the purpose, and can be read again', () => {
    expect(markOf(personId, 'primary')).toBe(`qm:${personId}:primary`);
    expect(readMark(markOf(personId, 'found:cn=ada'))).toEqual({ personId, purpose: 'found:cn=ada' });
  });

  it.each([null, '', 'hr-4711', `qm:${personId}:`, 'qm:not-a-person:primary'])('%j isn’t one of ours', (mark) => {
    expect(readMark(mark)).toBeNull();
  });
});

describe('clashesOf', () => {
  const like = (pattern: string) =>
    new RegExp(
      `^${pattern.replaceAll(/\\([\\%_])|[.]/g, (_, literal: string) => `\\${literal ?? '.'}`).replaceAll('%', '.*')}$`,
    );

  it('covers every name that a person may be given, and both people wait for one lock', () => {
    const part = fc.stringMatching(/^[a-z][a-z0-9._-]{0,70}$/);
    fc.assert(
      fc.property(part, fc.integer({ min: 0, max: 12 }), (local, rivals) => {
        const email = `${local}@acme.example`;
        const taken: string[] = [];
        for (let rival = 0; rival < rivals; rival += 1) taken.push(usernameFor(email, 'local-part', taken));
        const given = usernameFor(email, 'local-part', taken);
        const clashes = clashesOf(email);
        expect(given === clashes.name || like(clashes.pattern).test(given)).toBe(true);
        expect(clashesOf(`${given}@acme.org`).lock).toBe(clashes.lock);
      }),
    );
  });
});
