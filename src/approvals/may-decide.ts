import { isSameName, isSamePerson, type Identity } from '../platform/sign-in/same-person.js';
import type { ProblemKind } from '../platform/errors/problem.js';

/** What a decision about an approval is held against. */
export interface Deciding {
  state: 'waiting' | 'approved' | 'refused';
  /** By the database's clock, as `now` is. */
  expiresAt: Date;
  requestedBy: Identity;
  /** Addresses of the people whom the act is about. */
  subjects: readonly string[];
}

export interface Refusal {
  kind: Extract<ProblemKind, 'conflict' | 'gone' | 'forbidden'>;
  because: string;
}

/** Why this actor may not decide about it now; null: they may. Pure. */
export function whyNotDecided(request: Deciding, actor: Identity, now: Date): Refusal | null {
  if (request.state !== 'waiting') {
    return { kind: 'conflict', because: `This was ${request.state} before; an approval counts once.` };
  }
  if (request.expiresAt <= now) {
    return { kind: 'gone', because: 'This request is older than 30 minutes and counts no more. Request it again.' };
  }
  if (isSamePerson(request.requestedBy, actor)) {
    return { kind: 'forbidden', because: 'Another person than the one who requested it has to decide.' };
  }
  if (request.subjects.some((subject) => isSameName(subject, actor.name))) {
    return { kind: 'forbidden', because: 'Nobody decides about what happens to themselves.' };
  }
  return null;
}
