import type { ActorKind, Scope } from '../../platform/sign-in/actor.js';
import type { CaseKind } from '../step-states.js';

/** Whose word a grant is sent on. Null: from before this was kept. */
export interface Request {
  requestedBy: string | null;
  requestedByKind: ActorKind | null;
  caseKind: CaseKind;
}

/**
 * What has to be asked before a grant is sent: whether this principal still holds this scope. Null: nothing. HR's word
 * and the service's own can't be taken back, and neither can that of whoever sits at the server (`terminal:…`) or came
 * with a link from there (`admin:…`). What takes access away is never asked about.
 */
export function stillToBeHeld(request: Request): { principal: string; scope: Scope } | null {
  const { requestedBy, requestedByKind, caseKind } = request;
  if (requestedBy === null || requestedByKind === null) return null;
  if (requestedByKind === 'hr' || requestedByKind === 'system') return null;
  if (/^(terminal|admin):/.test(requestedBy)) return null;
  return { principal: requestedBy, scope: caseKind === 'restoration' ? 'access:restore' : 'cases:write' };
}

/** For people; somebody who may has to try the step again, and answers for it then. */
export function noLongerAllowed(scope: Scope): string {
  return `Who asked for this may not any more (${scope}): somebody who may has to look at it and try it again.`;
}
