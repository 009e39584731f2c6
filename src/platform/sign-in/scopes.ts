import { SCOPES, type Scope } from './actor.js';

const KNOWN: ReadonlySet<string> = new Set(SCOPES);

export function isScope(text: string): text is Scope {
  return KNOWN.has(text);
}

/** The stored scopes that this version knows; one that was dropped since allows nothing. */
export function knownScopes(stored: readonly string[]): Scope[] {
  return stored.filter(isScope);
}
