import type { ObservedAccount } from '../../connectors/kit/contract.js';
import { isDoubtful, purposeOfFound } from '../../src/accounts/doubtful.js';
import type { WantedAccount } from '../../src/cases/plan-access.js';
import type { StepPlan } from '../../src/cases/step-plan.js';
import { POLICY } from '../model/entitlements.js';
import type { SimCases } from './sim-cases.js';
import type { SimWorld } from './sim-world.js';
import type { SimAccount, SimGrant, SimPerson, SimTool } from './tables.js';

/** AccessPlanning, CutPlanning and the part of AccountsService that they use, on the simulation's rows. */
export class SimAccess {
  constructor(
    private readonly world: SimWorld,
    private readonly cases: SimCases,
  ) {}

  plan(person: SimPerson): StepPlan[] {
    const { rules, now, tools } = this.world;
    const employments = person.employments
      .filter(({ endsAt }) => endsAt === null || endsAt > now)
      .map(({ department }) => ({ department, employmentType: 'employee', location: null }));
    const { access } = rules.desiredAccess(employments, POLICY);
    const before = person.accounts.map((account) => ({ account, desired: account.desired }));
    const revocations = this.cases.unfinishedRevocations(person);
    const sent = this.cases.grantsInTheAir(person);
    const inTheAir = (id: string) => sent.filter(({ accountId }) => accountId === id).map(({ stepId }) => stepId);
    const wanted: WantedAccount[] = [];
    for (const { toolKey, purpose, grants } of access) {
      const tool = tools.find(({ key }) => key === toolKey);
      if (!tool) continue;
      const earlier = before.find(({ account }) => account.toolId === tool.id && account.purpose === purpose);
      const account = this.openFor(person, tool, purpose, person.username, 'active');
      wanted.push({
        id: account.id,
        toolId: tool.id,
        observed: account.observed,
        externalId: account.externalId,
        mustRotate:
          earlier?.desired === 'suspended' ||
          revocations.some(({ accountId, act }) => accountId === account.id && act === 'suspend_account'),
        grants: grants.map(({ name }) => this.want(account, name)),
        grantsInTheAir: inTheAir(account.id),
        unfinishedRevocations: revocations
          .filter(({ accountId }) => accountId === account.id)
          .map(({ stepId }) => stepId),
      });
    }
    const unwanted = before
      .filter(({ account, desired }) => desired === 'active' && !wanted.some(({ id }) => id === account.id))
      .map(({ account }) => account);
    for (const account of unwanted) account.desired = 'suspended';
    return rules.planAccess({
      wanted,
      unwanted: unwanted.map((account) => ({ ...account, grantsInTheAir: inTheAir(account.id) })),
      unwantedGrants: this.unwant(person, wanted).map((grant) => ({
        ...grant,
        grantsInTheAir: inTheAir(grant.accountId),
      })),
    });
  }

  private unwant(person: SimPerson, wanted: readonly WantedAccount[]) {
    return wanted.flatMap(({ id: accountId, toolId, grants }) => {
      const account = person.accounts.find(({ id }) => id === accountId);
      const unwanted = (account?.grants ?? []).filter(
        ({ id, desired }) => desired === 'present' && !grants.some((grant) => grant.id === id),
      );
      for (const grant of unwanted) grant.desired = 'absent';
      return unwanted.map(({ id, kind, name }) => ({ id, accountId, toolId, kind, name }));
    });
  }

  planCut(person: SimPerson): StepPlan[] {
    const { rules, tools } = this.world;
    const theirs = person.accounts.filter((account) => !isDoubtful(account));
    for (const account of theirs) account.desired = 'suspended';
    const known = theirs.filter(
      ({ toolId, externalId, observed }) =>
        observed !== 'absent' &&
        (externalId !== null || tools.some(({ id, kind }) => id === toolId && kind === 'human')),
    );
    return rules.planCut({ tools, accounts: known });
  }

  openFor(
    person: SimPerson,
    tool: SimTool,
    purpose: string,
    username: string,
    desired: SimAccount['desired'],
  ): SimAccount {
    const there = person.accounts.find((account) => account.toolId === tool.id && account.purpose === purpose);
    if (there) {
      there.desired = desired;
      return there;
    }
    const made: SimAccount = {
      id: this.world.newId('account'),
      toolId: tool.id,
      purpose,
      username,
      mark: person.mark,
      externalId: null,
      desired,
      observed: 'unknown',
      observedAt: -1,
      grants: [],
    };
    person.accounts.push(made);
    return made;
  }

  private want(account: SimAccount, name: string): SimGrant {
    const there = account.grants.find((grant) => grant.name === name);
    if (there) {
      there.desired = 'present';
      return there;
    }
    const made: SimGrant = {
      id: this.world.newId('grant'),
      kind: 'group',
      name,
      desired: 'present',
      observed: 'unknown',
    };
    account.grants.push(made);
    return made;
  }

  /** What a look that was loaded at `at` showed; an older look changes nothing. */
  record(account: SimAccount, seen: ObservedAccount | null, at: number): void {
    if (account.observedAt > at) return;
    account.observedAt = at;
    if (!seen) {
      account.observed = 'absent';
      for (const grant of account.grants) grant.observed = 'absent';
      return;
    }
    account.externalId = seen.externalId;
    account.username = seen.username;
    account.observed = seen.state;
    if (!seen.grants) return;
    for (const grant of account.grants) {
      grant.observed = seen.grants.some(({ name }) => name === grant.name) ? 'present' : 'absent';
    }
  }

  /** Takes in an account that a look found; null when it is recorded as somebody else's. */
  adopt(person: SimPerson, tool: SimTool, seen: ObservedAccount, isProven: boolean, at: number): SimAccount | null {
    for (const other of this.world.people) {
      const recorded = other.accounts.find(
        ({ toolId, externalId }) => toolId === tool.id && externalId === seen.externalId,
      );
      if (!recorded) continue;
      if (other !== person) return null;
      this.record(recorded, seen, at);
      return recorded;
    }
    const ofMark = person.accounts.find(
      ({ toolId, mark, externalId }) =>
        toolId === tool.id && seen.mark !== null && mark === seen.mark && externalId === null,
    );
    const purpose = purposeOfFound(seen.externalId, isProven);
    const account = ofMark ?? this.openFor(person, tool, purpose, seen.username, 'suspended');
    if (!ofMark) account.mark = seen.mark;
    this.record(account, seen, at);
    return account;
  }
}
