import { isDoubtful } from '../accounts/doubtful.js';
import type { StepPlan } from './step-plan.js';

export interface ResettableAccount {
  id: string;
  toolId: string;
  purpose: string;
  kind: 'person' | 'service' | 'shared';
  externalId: string | null;
  observedState: 'unknown' | 'absent' | 'active' | 'suspended';
}

/** One reset for each account of the person that is known to be there; suspended ones, too: a reset restores nothing. */
export function planReset(accounts: readonly ResettableAccount[]): StepPlan[] {
  return accounts
    .filter(
      ({ kind, purpose, externalId, observedState }) =>
        kind === 'person' && !isDoubtful({ purpose }) && externalId !== null && observedState !== 'absent',
    )
    .map(({ id, toolId }) => ({ key: `reset:${id}`, act: 'reset_credentials', toolId, accountId: id }));
}
