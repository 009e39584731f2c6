import type { Scope } from '../sign-in/actor.js';
import type { Narrowing, Reach } from './reach.js';
import { ROLE_DEFINITIONS, type Role } from './roles.js';

/** A role that somebody holds now. */
export interface HeldRole extends Narrowing {
  role: Role;
}

/** What a sign-in brings with it, before its roles are looked up. */
export interface Standing {
  /** Of a token or a break-glass session: held everywhere. */
  scopes: readonly Scope[];
  /** Of a token that is bound to its maker, whose roles these are: what it was made for. */
  limitedTo?: readonly Scope[];
  roles: readonly HeldRole[];
}

/** That somebody may use a scope, and where. */
export interface Permit {
  /** This scope, and the others that are held wherever this one is: what else the caller may see of the same thing. */
  scopes: readonly Scope[];
  /** Undefined: everywhere. */
  reach?: Reach;
}

/**
 * Whether and where a scope is held: everywhere as soon as one role gives it everywhere, else within all the narrowings
 * of the roles that give it. Null: not at all.
 */
export function permitFor(scope: Scope, standing: Standing): Permit | null {
  const reach = reachOf(scope, standing);
  if (reach === null) return null;
  const scopes = scopesOf(standing).filter((other) => covers(reachOf(other, standing), reach));
  return reach === 'everywhere' ? { scopes } : { scopes, reach };
}

/** Everything that is held everywhere: what somebody may pass on. */
export function heldEverywhere(standing: Standing): Scope[] {
  return scopesOf(standing).filter((scope) => reachOf(scope, standing) === 'everywhere');
}

function scopesOf({ scopes, roles }: Standing): Scope[] {
  return [...new Set([...scopes, ...roles.flatMap(({ role }) => ROLE_DEFINITIONS[role].scopes)])];
}

function reachOf(scope: Scope, { scopes, limitedTo, roles }: Standing): Reach | 'everywhere' | null {
  if (limitedTo && !limitedTo.includes(scope)) return null;
  if (scopes.includes(scope)) return 'everywhere';
  const giving = roles.filter(({ role }) => ROLE_DEFINITIONS[role].scopes.includes(scope));
  if (giving.length === 0) return null;
  return giving.some(isEverywhere) ? 'everywhere' : giving.map(narrowingOf);
}

/** A scope of another reach is left out rather than compared place by place: too little is shown, never too much. */
function covers(wide: Reach | 'everywhere' | null, narrow: Reach | 'everywhere'): boolean {
  if (wide === null || wide === 'everywhere') return wide === 'everywhere';
  if (narrow === 'everywhere') return false;
  return narrow.every((place) => wide.some((other) => isSame(place, other)));
}

function isEverywhere({ department, location, toolId }: Narrowing): boolean {
  return department === null && location === null && toolId === null;
}

function narrowingOf({ department, location, toolId }: HeldRole): Narrowing {
  return { department, location, toolId };
}

function isSame(one: Narrowing, other: Narrowing): boolean {
  return one.department === other.department && one.location === other.location && one.toolId === other.toolId;
}
