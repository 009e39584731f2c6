import type { StoredSettings } from '../tools/stored-settings.js';

export type UsernameSource = StoredSettings['usernameFrom'];

/** PostgreSQL cuts longer role names off silently (NAMEDATALEN − 1), and two people could become one. */
const MAX_LENGTH = 63;

/**
 * A person's username at a tool: the whole corporate address, or the part before the @ with nothing in it that a tool
 * could stumble over (a-z, 0-9, dot, underscore, hyphen; at most 63 bytes; a letter or digit first). One that is taken
 * gets a number: `ada.lovelace-2`.
 *
 * @param email the corporate address, lower case
 * @param taken usernames at this tool that belong to somebody else, compared without capitals
 */
export function usernameFor(email: string, from: UsernameSource, taken: readonly string[] = []): string {
  // An address is unique among people, so it is never somebody else's.
  if (from === 'email') return email;
  const inUse = new Set(taken.map((name) => name.toLowerCase()));
  const base = safe(email.slice(0, email.lastIndexOf('@')));
  if (!inUse.has(base)) return base;
  for (let number = 2; ; number += 1) {
    const suffix = `-${number}`;
    const candidate = `${base.slice(0, MAX_LENGTH - suffix.length)}${suffix}`;
    if (!inUse.has(candidate)) return candidate;
  }
}

/** What is to be known before a name is given: the names that it may clash with, and the lock against a rival. */
export interface NameClash {
  /** This very name, in lower case. */
  name: string;
  /** As `LIKE` has it, in lower case: the same with a number, and few others. */
  pattern: string;
  /** Two people whose names may clash have the same one. */
  lock: string;
}

/** Longest name that every number fits behind. */
const NUMBERED_LENGTH = MAX_LENGTH - 13;

/** For names made of the local part; an address can't clash with anybody's. */
export function clashesOf(email: string): NameClash {
  const name = safe(email.slice(0, email.lastIndexOf('@')));
  const stem = name.slice(0, NUMBERED_LENGTH);
  const escaped = stem.replaceAll(/[\\%_]/g, '\\$&');
  return {
    name,
    // A longer one is cut to make room for its number.
    pattern: name.length > NUMBERED_LENGTH ? `${escaped}%` : `${escaped}-%`,
    // "ada-2" may be somebody's own name, or the second Ada's.
    lock: stem.replace(/(-\d*)+$/, ''),
  };
}

function safe(localPart: string): string {
  const plain = localPart
    .normalize('NFKD')
    .replaceAll(/\p{Mark}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, MAX_LENGTH)
    .replace(/[^a-z0-9]+$/, '');
  return plain === '' ? 'user' : plain;
}
