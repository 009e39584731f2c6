import { randomBytes } from 'node:crypto';

/** Crockford's base 32: no letter that is taken for a digit or another letter, and none that makes words. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = /.{4}/g;

/** 80 random bits to be read off a card and typed on a phone: `7QKM-3ZP0-XW9D-H4RT`. */
export function newReportCode(): string {
  const letters = Array.from(randomBytes(16), (byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return (letters.match(GROUPS) ?? []).join('-');
}

/** What of a typed code counts: without hyphens and spaces, in either case, with the letters that people mix up. */
export function plainCode(typed: string): string {
  return typed
    .toUpperCase()
    .replaceAll(/[^0-9A-Z]/g, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/g, '1');
}
