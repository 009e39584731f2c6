import type { Actor, Scope } from '../sign-in/actor.js';

/** What isn't shown to everybody who may see the thing itself, and the scope that shows it. */
const FIELDS = {
  /** Whoever has it can pass for the owner at a maker's hotline. Nobody searches by it either. */
  'device.serial': 'devices:read-serials',
  /** The title and the end of an employment: a notice is known to few before its day. */
  'employment.terms': 'people:read-terms',
} as const satisfies Record<string, Scope>;

/** Whether an actor may see a field of what they see. Who may in some places only is shown it in answers about no other. */
export function seesField({ scopes }: Actor, field: keyof typeof FIELDS): boolean {
  return scopes.includes(FIELDS[field]);
}
