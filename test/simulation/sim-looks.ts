import type { FoundAccount } from '../../connectors/kit/contract.js';
import { isDoubtful } from '../../src/accounts/doubtful.js';
import type { SimAccess } from './sim-access.js';
import type { SimCases } from './sim-cases.js';
import type { SimSettlement } from './sim-settlement.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { Claimed, SimAccount, SimAttempt, SimStep } from './tables.js';

/** LookForAccess, on the simulation's rows. */
export class SimLooks {
  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
    private readonly access: SimAccess,
    private readonly settlement: SimSettlement,
  ) {}

  mustWait({ tool, case: { person } }: SimStep): boolean {
    const isHere = (one: SimStep | SimAttempt) => one.tool === tool;
    return this.world.rules.lastLookWaits(person.steps.filter(isHere), person.attempts.filter(isHere), this.world.now);
  }

  known({ tool, case: { person } }: SimStep): SimAccount[] {
    return person.accounts.filter(({ toolId }) => toolId === tool.id);
  }

  everywhere({ tool, case: { person } }: SimStep, known: readonly SimAccount[]): FoundAccount[] {
    const primary = known.find(({ purpose }) => purpose === 'primary');
    const found = tool.world.find({
      mark: primary ? (primary.mark ?? '') : person.mark,
      username: primary?.username ?? person.username,
      email: person.email,
    });
    for (const { externalId } of known) {
      if (externalId === null || found.some(({ account }) => account.externalId === externalId)) continue;
      const account = tool.world.get(externalId);
      if (account) found.push({ account, matchedBy: 'mark' });
    }
    return found;
  }

  write(claim: Claimed, known: readonly SimAccount[], all: readonly FoundAccount[], at: number): void {
    const { step } = claim;
    const { rules } = this.world;
    // Everything below is one transaction in the engine: when it is refused, nothing of it stays.
    if (!rules.isHolder(step, claim)) {
      this.settlement.settle(claim, 'shown', { state: 'done', residualUntil: null, unprovable: null });
      return;
    }
    const { person } = step.case;
    const sorted = rules.sortFound(
      all,
      known.map(({ id, externalId, mark, purpose }) => ({
        id,
        externalId,
        mark: mark ?? '',
        isDoubtful: isDoubtful({ purpose }),
      })),
      {
        username: known.find(({ purpose }) => purpose === 'primary')?.username ?? person.username,
        email: person.email,
      },
      null,
    );
    this.world.trace(
      () => `${claim.worker.id} looks for ${nameOf(step)}: ${sorted.usable.length} of ${all.length} usable`,
    );
    const idOf = this.note(step, known, all, sorted, at);
    const rounds =
      step.act === 'final_look'
        ? step.case.steps.filter(({ act, tool }) => act === 'final_look' && tool === step.tool).length
        : 0;
    const decision = rules.decideAfterLook(
      step.act === 'discover' ? 'discover' : 'final_look',
      sorted,
      rounds,
      ({ account }) =>
        person.accounts.some(({ id, desired }) => desired === 'active' && id === idOf.get(account.externalId)),
    );
    if ('giveUp' in decision) {
      this.settlement.settle(claim, 'shown', { state: 'needs_human', reason: decision.giveUp });
      return;
    }
    if (step.act === 'final_look') step.case.lookedAt.set(step.tool.id, at);
    const idsOf = (accounts: readonly FoundAccount[]) => [
      ...new Set(accounts.flatMap(({ account }) => idOf.get(account.externalId) ?? [])),
    ];
    const toolId = step.tool.id;
    const lookAgain = step.act === 'final_look';
    this.cases.grow(step.case, rules.growCut({ toolId, accountIds: idsOf(decision.cut), lookAgain, round: rounds }));
    const unasked = idsOf(sorted.doubtful).filter((id) => !step.case.steps.some(({ account }) => account?.id === id));
    const doubtful = rules.growCut({ toolId, accountIds: unasked, lookAgain: false, round: rounds });
    for (const grown of this.cases.grow(step.case, doubtful)) this.cases.giveToHuman(grown);
    this.settlement.settle(claim, 'shown', { state: 'done', residualUntil: null, unprovable: null });
  }

  private note(
    { tool, case: { person } }: SimStep,
    known: readonly SimAccount[],
    all: readonly FoundAccount[],
    sorted: ReturnType<SimWorld['rules']['sortFound']>,
    at: number,
  ): Map<string, string> {
    const idOf = new Map<string, string>();
    for (const { accountId, found } of sorted.located) {
      const account = person.accounts.find(({ id }) => id === accountId);
      if (account) this.access.record(account, found.account, at);
      idOf.set(found.account.externalId, accountId);
    }
    for (const { account } of [...sorted.adopted, ...sorted.doubtful]) {
      const isProven = sorted.adopted.some((one) => one.account === account);
      const adopted = this.access.adopt(person, tool, account, isProven, at);
      if (adopted) idOf.set(account.externalId, adopted.id);
    }
    for (const account of known) {
      if (account.externalId === null) continue;
      const one = all.find((found) => found.account.externalId === account.externalId);
      this.access.record(account, one?.account ?? null, at);
      idOf.set(account.externalId, account.id);
    }
    return idOf;
  }
}
