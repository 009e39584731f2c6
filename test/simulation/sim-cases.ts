import type { StepPlan } from '../../src/cases/step-plan.js';
import { EFFECT_OF, type CaseKind, type HoldReason, type Lane, type StepAct } from '../../src/cases/step-states.js';
import { checkClosed } from './invariants.js';
import { nameOf, type SimWorld } from './sim-world.js';
import type { SimCase, SimPerson, SimStep } from './tables.js';

interface OpenCase {
  kind: CaseKind;
  lane: Lane;
  person: SimPerson;
  steps: readonly StepPlan[];
  hold?: HoldReason;
}

/** CasesService, on the simulation's rows. */
export class SimCases {
  constructor(private readonly world: SimWorld) {}

  open({ kind, lane, person, steps, hold }: OpenCase): SimCase {
    const { world } = this;
    const id = world.newId('case');
    const opened: SimCase = {
      id,
      kind,
      lane,
      person,
      generation: person.generation,
      open: true,
      steps: [],
      lookedAt: new Map(),
    };
    world.cases.push(opened);
    if (hold) person.holds.push({ id: world.newId('hold'), reason: hold, caseId: id });
    world.trace(() => `${id}: ${kind} of ${person.id} opened at generation ${person.generation}`);
    this.insert(opened, steps);
    this.closeFinished(opened);
    return opened;
  }

  /** More steps for an open case; a last look that is still planned at the same tool waits for them, too. */
  grow(one: SimCase, plans: readonly StepPlan[]): SimStep[] {
    const lastLooks = one.steps.filter(({ act, state }) => act === 'final_look' && state === 'planned');
    const grown = this.insert(one, plans);
    for (const step of grown) {
      const waiting = lastLooks.find(({ tool }) => tool === step.tool);
      if (waiting && step.act !== 'final_look') need(waiting, step);
    }
    return grown;
  }

  private insert(one: SimCase, plans: readonly StepPlan[]): SimStep[] {
    const { world } = this;
    world.check(one.open || plans.length === 0, 'a closed case takes no more steps', () => one.id);
    const byKey = new Map<string, SimStep>();
    for (const plan of plans) {
      const tool = world.tools.find(({ id }) => id === plan.toolId);
      if (!tool) throw new Error(`no tool ${plan.toolId}`);
      const account = one.person.accounts.find(({ id }) => id === plan.accountId) ?? null;
      const step: SimStep = {
        id: world.newId('step'),
        case: one,
        tool,
        account,
        grant: account?.grants.find(({ id }) => id === plan.grantId) ?? null,
        act: plan.act,
        effect: EFFECT_OF[plan.act],
        state: 'ready',
        lane: one.lane,
        generation: one.generation,
        needs: [],
        neededBy: [],
        dueAt: world.now,
        owner: null,
        leaseUntil: 0,
        callDeadline: 0,
        fence: 0,
        failures: 0,
        readBacks: 0,
        crashes: 0,
        loneCrashes: 0,
        credentialVersion: null,
        inProgress: false,
        humanOwner: null,
        approved: false,
        claim: null,
      };
      byKey.set(plan.key, step);
      one.steps.push(step);
      one.person.steps.push(step);
      tool.steps.push(step);
    }
    for (const plan of plans) {
      const step = byKey.get(plan.key);
      if (!step) continue;
      for (const key of plan.needs ?? []) need(step, byKey.get(key));
      for (const id of plan.needsSteps ?? [])
        need(
          step,
          one.person.steps.find((other) => other.id === id),
        );
      // Born as `planned`, not moved there.
      if (step.needs.length > 0) step.state = 'planned';
      world.trace(() => `  ${nameOf(step)}: ${step.state}`);
    }
    return [...byKey.values()];
  }

  supersedeGrants(person: SimPerson): void {
    const superseded = person.steps.filter((step) => this.world.rules.isSuperseded(step));
    for (const step of superseded) this.world.move(step, 'superseded');
    for (const step of superseded) this.releaseDependents(step);
    for (const one of new Set(superseded.map((step) => step.case))) this.closeFinished(one);
  }

  releaseHolds(person: SimPerson, holdIds: readonly string[]): void {
    for (const id of holdIds) this.world.trace(() => `${id} of ${person.id} is lifted`);
    person.holds = person.holds.filter(({ id }) => !holdIds.includes(id));
  }

  grantsInTheAir({ steps }: SimPerson): { stepId: string; accountId: string }[] {
    return steps.flatMap(({ id, account, effect, state }) =>
      effect === 'grant' && account && (state === 'running' || state === 'confirming')
        ? [{ stepId: id, accountId: account.id }]
        : [],
    );
  }

  unfinishedRevocations({ steps }: SimPerson): { stepId: string; accountId: string; act: StepAct }[] {
    return steps.flatMap(({ id, account, act, effect, state }) =>
      effect === 'revoke' && account && state !== 'done' && state !== 'waived'
        ? [{ stepId: id, accountId: account.id, act }]
        : [],
    );
  }

  /** What follows from a step's end: those that waited for it, and its case. */
  end(step: SimStep): void {
    this.releaseDependents(step);
    this.closeFinished(step.case);
  }

  private releaseDependents(step: SimStep): void {
    for (const dependent of step.neededBy) {
      if (dependent.state !== 'planned') continue;
      const what = this.world.rules.afterNeeds(dependent.effect, dependent.needs);
      if (what === 'go') {
        this.world.move(dependent, 'ready');
        dependent.dueAt = this.world.now;
      } else if (what === 'ask') this.giveToHuman(dependent);
    }
  }

  giveToHuman(step: SimStep): void {
    if (this.world.rules.isNobodysTask(step, this.world.refusalOf(step))) {
      this.world.move(step, 'superseded');
      this.end(step);
      return;
    }
    this.world.move(step, 'needs_human');
    step.humanOwner = 'it-admins';
  }

  closeFinished(one: SimCase): void {
    if (!one.open || !this.world.rules.isFinished(one.steps)) return;
    this.world.close(one);
    checkClosed(this.world, one);
  }
}

function need(step: SimStep, needed: SimStep | undefined): void {
  if (!needed) throw new Error(`${step.id} needs a step that is not there`);
  if (step.needs.includes(needed)) return;
  step.needs.push(needed);
  needed.neededBy.push(step);
}
