import type { ProblemKind } from '../platform/errors/problem.js';
import { isSamePerson, isThisPerson, type KnownPerson, type Somebody } from '../platform/sign-in/somebody.js';

/** How long a request waits for its second person, and how long what they approved may then be done. */
export const VALID_MS = 30 * 60_000;

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

/** An approval that somebody wants to act on by themselves. */
export interface Given {
  state: 'waiting' | 'approved' | 'refused';
  requestedById: string;
  /** By the database's clock, as `now` is. */
  decidedAt: Date | null;
}

/** Why this actor may not do now what was approved; null: they may. By the very sign-in that asked for it. Pure. */
export function whyNotDone({ state, requestedById, decidedAt }: Given, actorId: string, now: Date): Refusal | null {
  if (requestedById !== actorId) return { kind: 'forbidden', because: 'Only who asked for this does it.' };
  if (state === 'refused') return { kind: 'conflict', because: 'This was refused. Talk to who did, then ask anew.' };
  if (state === 'waiting' || decidedAt === null) {
    return { kind: 'conflict', because: 'Another person has to approve this first.' };
  }
  if (decidedAt.getTime() + VALID_MS <= now.getTime()) {
    return {
      kind: 'gone',
      because: 'This was approved more than 30 minutes ago and counts no more. Request it again.',
    };
  }
  return null;
}

function isAmong({ people, principals }: Subjects, actor: Somebody): boolean {
  return actor.ids.some((id) => principals.includes(id)) || people.some((person) => isThisPerson(actor, person));
}
