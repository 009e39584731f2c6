import type { ProblemKind } from '../platform/errors/problem.js';
import { isSamePerson, isThisPerson, type KnownPerson, type Somebody } from '../platform/sign-in/somebody.js';

/** What a decision about an approval is held against. */
export interface Deciding {
  state: 'waiting' | 'approved' | 'refused';
  /** By the database's clock, as `now` is. */
  expiresAt: Date;
  requestedBy: Somebody;
  about: Subjects;
}

/** To whom something is done: none of them decides about it. */
export interface Subjects {
  people: readonly KnownPerson[];
  /** Actors' ids, where it is about what somebody may do here. */
  principals: readonly string[];
}

export interface Refusal {
  kind: Extract<ProblemKind, 'conflict' | 'gone' | 'forbidden'>;
  because: string;
}

export const NOBODY = 'This takes two people, and this API token is nobody’s: sign in, or use a token that is yours.';

/** Why this actor may not decide about it now; null: they may. Pure. */
export function whyNotDecided(request: Deciding, actor: Somebody, now: Date): Refusal | null {
  if (request.state !== 'waiting') {
    return { kind: 'conflict', because: `This was ${request.state} before; an approval counts once.` };
  }
  if (request.expiresAt <= now) {
    return { kind: 'gone', because: 'This request is older than 30 minutes and counts no more. Request it again.' };
  }
  if (!actor.isPerson) return { kind: 'forbidden', because: NOBODY };
  if (isSamePerson(request.requestedBy, actor)) {
    return { kind: 'forbidden', because: 'Another person than the one who requested it has to decide.' };
  }
  if (isAmong(request.about, actor)) {
    return { kind: 'forbidden', because: 'Nobody decides about what happens to themselves.' };
  }
  return null;
}

function isAmong({ people, principals }: Subjects, actor: Somebody): boolean {
  return actor.ids.some((id) => principals.includes(id)) || people.some((person) => isThisPerson(actor, person));
}
