import type { FoundAccount } from '../../../connectors/kit/contract.js';
import type { StepPlan } from '../step-plan.js';

/** An account of the person at the tool, as we knew it before looking. */
export interface KnownAccount {
  id: string;
  externalId: string | null;
  mark: string;
}

export interface FoundByLook {
  /** Ours after all: a create whose outcome was lost left it behind. */
  located: { accountId: string; found: FoundAccount }[];
  /** Theirs by our mark, or by both user name and corporate address: becomes an account and is cut. */
  adopted: FoundAccount[];
  /** Carries their user name or address and nothing more: a person decides. */
  doubtful: FoundAccount[];
  /** Known or just found, and still usable. */
  usable: FoundAccount[];
}

/**
 * Sorts what a look found. An account is never matched by e-mail address alone: one that shows a mark of ours or both
 * the user name and the corporate address is the person's; anything less is shown to somebody.
 */
export function sortFound(
  found: readonly FoundAccount[],
  known: readonly KnownAccount[],
  person: { username: string; email: string },
  ownPrincipal: string | null,
): FoundByLook {
  const result: FoundByLook = { located: [], adopted: [], doubtful: [], usable: [] };
  for (const one of found) {
    const { account } = one;
    if (ownPrincipal !== null && (account.username === ownPrincipal || account.externalId === ownPrincipal)) continue;
    const byId = known.find(({ externalId }) => externalId === account.externalId);
    const byMark = known.find(({ externalId, mark }) => externalId === null && account.mark === mark);
    const theirs =
      byId !== undefined ||
      byMark !== undefined ||
      one.matchedBy === 'mark' ||
      (same(account.username, person.username) && account.email !== null && same(account.email, person.email));
    if (!byId && byMark) result.located.push({ accountId: byMark.id, found: one });
    else if (!byId && theirs) result.adopted.push(one);
    else if (!byId) result.doubtful.push(one);
    if (theirs && isUsable(one)) result.usable.push(one);
  }
  return result;
}

function isUsable({ account }: FoundAccount): boolean {
  return account.state === 'active' || (account.sessions.seen && account.sessions.live > 0);
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/**
 * The steps that a look adds to a cut: each account that still works is cut (again, if need be), and whoever looked last
 * looks once more after that. `round` numbers the looks of this case at this tool.
 */
export function growCut(input: {
  toolId: string;
  accountIds: readonly string[];
  lookAgain: boolean;
  round: number;
}): StepPlan[] {
  if (input.accountIds.length === 0) return [];
  const cuts = input.accountIds.map((accountId): StepPlan => ({
    key: `suspend:${accountId}:${input.round}`,
    act: 'suspend_account',
    toolId: input.toolId,
    accountId,
  }));
  if (!input.lookAgain) return cuts;
  return [
    ...cuts,
    {
      key: `final:${input.toolId}:${input.round}`,
      act: 'final_look',
      toolId: input.toolId,
      needs: cuts.map(({ key }) => key),
    },
  ];
}
