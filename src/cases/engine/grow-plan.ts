import type { FoundAccount } from '../../../connectors/kit/contract.js';
import type { StepPlan } from '../step-plan.js';

/** An account of the person at the tool, as we knew it before looking. */
export interface KnownAccount {
  id: string;
  externalId: string | null;
  mark: string;
  /** Recorded by an earlier look, and nothing proves it theirs. */
  isDoubtful: boolean;
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
      byId?.isDoubtful === false ||
      byMark !== undefined ||
      one.matchedBy === 'mark' ||
      (same(account.username, person.username) && account.email !== null && same(account.email, person.email));
    if (!byId && byMark) result.located.push({ accountId: byMark.id, found: one });
    else if (!byId && theirs) result.adopted.push(one);
    else if (!theirs) result.doubtful.push(one);
    if (theirs && isUsable(one)) result.usable.push(one);
  }
  return result;
}

/** Looks of one case at one tool, after which an account that still works is a person's to cut. */
const MANY_ROUNDS = 6;

/**
 * Which of what was found is cut now: at the start, what nobody knew, since what was known is being cut already; at the
 * end, whatever still works. What a newer decision gave back meanwhile is left alone. `giveUp`: it has been cut and found
 * again too often.
 */
export function decideAfterLook(
  act: 'discover' | 'final_look',
  found: FoundByLook,
  rounds: number,
  isWanted: (one: FoundAccount) => boolean,
): { cut: FoundAccount[] } | { giveUp: string } {
  const unknown = [...found.located.map(({ found: one }) => one), ...found.adopted];
  const cut = (act === 'discover' ? unknown : found.usable).filter((one) => !isWanted(one));
  if (act === 'discover' || rounds < MANY_ROUNDS || cut.length === 0) return { cut };
  return { giveUp: `After ${rounds} looks an account still works there. Cut it by hand, then complete this step.` };
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
