import { expect, it } from 'vitest';
import { newPassword } from './new-password.js';

const PASSWORDS = Array.from({ length: 500 }, newPassword);

it('holds each kind of character that tools’ rules ask for', () => {
  for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[-_.!]/]) {
    expect(PASSWORDS.filter((password) => !kind.test(password))).toEqual([]);
  }
});

it('holds no part of a name, which Active Directory would refuse', () => {
  expect(PASSWORDS.filter((password) => /[aeiouy]/i.test(password))).toEqual([]);
});

it('is never the same twice', () => {
  expect(new Set(PASSWORDS).size).toBe(PASSWORDS.length);
});
