import type { GrantRef } from '../../connectors/kit/contract.js';
import type { StepPlan } from './step-plan.js';

export interface WantedGrant extends GrantRef {
  id: string;
}

/** An account that the policy wants, with what was last seen of it. */
export interface WantedAccount {
  id: string;
  toolId: string;
  observed: 'unknown' | 'absent' | 'active' | 'suspended';
  /** The tool's stable id; null while nobody has seen the account. */
  externalId: string | null;
  /** Suspended by us since its credentials were last rotated, or about to be. */
  mustRotate: boolean;
  grants: readonly (WantedGrant & { observed: 'unknown' | 'present' | 'absent' })[];
  /** Revocations of this account that are still under way, in whatever case. */
  unfinishedRevocations: readonly string[];
  /** Grants of this account that may have been sent already: a second create beside the first makes a second account. */
  grantsInTheAir: readonly string[];
}

export interface UnwantedAccount {
  id: string;
  toolId: string;
  /** Grants of this account that may have been sent already: what they give is taken away after them. */
  grantsInTheAir: readonly string[];
}

export interface UnwantedGrant extends GrantRef {
  id: string;
  accountId: string;
  toolId: string;
  grantsInTheAir: readonly string[];
}

/**
 * The steps that bring a person's accounts to what the policy wants: for a joiner, a mover, a rehire or a restoration.
 * An account that was suspended gets new credentials first and is restored after: what was issued before stays dead.
 */
export function planAccess(input: {
  wanted: readonly WantedAccount[];
  unwanted?: readonly UnwantedAccount[];
  unwantedGrants?: readonly UnwantedGrant[];
}): StepPlan[] {
  return [
    ...input.wanted.flatMap(planWanted),
    ...(input.unwantedGrants ?? []).map((grant): StepPlan => ({
      key: `withdraw:${grant.id}`,
      act: 'withdraw',
      toolId: grant.toolId,
      accountId: grant.accountId,
      grantId: grant.id,
      grant: { kind: grant.kind, name: grant.name },
      needsSteps: grant.grantsInTheAir,
    })),
    ...(input.unwanted ?? []).map((account): StepPlan => ({
      key: `suspend:${account.id}`,
      act: 'suspend_account',
      toolId: account.toolId,
      accountId: account.id,
      needsSteps: account.grantsInTheAir,
    })),
  ];
}

function planWanted(account: WantedAccount): StepPlan[] {
  const opening = planOpening(account);
  const last = opening.at(-1);
  // What was seen may be taken away yet, by an older decision that is never superseded: then it is given anew after that.
  const unsure = opening[0]?.act === 'create_account' || account.unfinishedRevocations.length > 0;
  const missing = account.grants.filter((grant) => grant.observed !== 'present' || unsure);
  return [
    ...opening,
    ...missing.map((grant): StepPlan => ({
      key: `grant:${grant.id}`,
      act: 'grant',
      toolId: account.toolId,
      accountId: account.id,
      grantId: grant.id,
      grant: { kind: grant.kind, name: grant.name },
      ...(last ? { needs: [last.key] } : { needsSteps: account.unfinishedRevocations }),
    })),
  ];
}

function planOpening(account: WantedAccount): StepPlan[] {
  const target = { toolId: account.toolId, accountId: account.id };
  const needsSteps = account.unfinishedRevocations;
  if (account.externalId === null || account.observed === 'absent') {
    const afterAll = [...needsSteps, ...account.grantsInTheAir];
    return [{ key: `create:${account.id}`, act: 'create_account', ...target, needsSteps: afterAll }];
  }
  if (account.observed === 'active' && !account.mustRotate) return [];
  const reset: StepPlan = { key: `reset:${account.id}`, act: 'reset_credentials', ...target, needsSteps };
  return [reset, { key: `restore:${account.id}`, act: 'restore_account', ...target, needs: [reset.key] }];
}
