import { randomInt } from 'node:crypto';

// Without letters and digits that people mix up (0 O, 1 l I): somebody may have to type it from another screen. Without
// vowels, so that no name stands in it by chance: Active Directory refuses a password that holds a part of its person's.
const KINDS = ['bcdfghjkmnpqrstvwxz', 'BCDFGHJKLMNPQRSTVWXZ', '23456789', '-_.!'] as const;
const ALL = KINDS.join('');
const LENGTH = 24;

/** About 136 random bits; holds each kind of character that tools' password rules ask for. */
export function newPassword(): string {
  for (;;) {
    const password = Array.from({ length: LENGTH }, () => ALL.charAt(randomInt(ALL.length))).join('');
    if (KINDS.every((kind) => Array.from(kind).some((character) => password.includes(character)))) return password;
  }
}
