import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Brakes } from '../brakes/brakes.service.js';
import { AccessPlanning } from '../cases/access-planning.service.js';
import { CasesService } from '../cases/cases.service.js';
import type { StepPlan } from '../cases/step-plan.js';
import { PeopleService } from '../people/people.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { together } from '../platform/database/together.js';

/** Somebody's department, location or kind of employment changed, or one of several employments ended. */
@Injectable()
export class MoversService {
  constructor(
    private readonly people: PeopleService,
    private readonly cases: CasesService,
    private readonly access: AccessPlanning,
    private readonly brakes: Brakes,
  ) {}

  /**
   * Brings access to what the policy grants now. Undefined when a hold stands: the release will plan anew. Beyond the
   * limit of its source it is planned and held.
   */
  async apply(
    tx: EntityManager,
    personId: string,
    actor: Actor,
    now: Date,
  ): Promise<{ caseId: string; held: boolean } | undefined> {
    const [person, holds] = await together([this.people.lock(tx, personId), this.cases.standingHolds(tx, personId)]);
    if (person.status !== 'active' || holds.length > 0) return undefined;
    const [generation] = await together([
      this.people.nextGeneration(tx, personId),
      this.cases.supersedeGrants(tx, personId, 'A newer decision about the person replaced this one.'),
    ]);
    const plan = await this.access.plan(tx, person, generation, now);
    const kind = volumeOf(plan.steps);
    const change = kind && { kind, actor, personId };
    const verdict = change && (await this.brakes.admit(tx, change));
    const held = verdict?.passes === false;
    const caseId = await this.cases.open(tx, {
      kind: 'mover',
      lane: 'standard',
      personId,
      generation,
      actor,
      steps: plan.steps,
      policyVersionId: plan.policyVersionId,
      facts: { deviceModel: plan.deviceModel, unknownTools: plan.unknownTools },
      held,
    });
    if (verdict) await this.brakes.replaced(tx, verdict.held);
    if (change && held) await this.brakes.hold(tx, change, caseId);
    return { caseId, held };
  }
}

/** What a change counts as: one that takes anything away is a removal, whatever it gives beside. */
function volumeOf(steps: readonly StepPlan[]): 'removals' | 'grants' | undefined {
  if (steps.some(({ act }) => act === 'suspend_account' || act === 'withdraw')) return 'removals';
  return steps.length > 0 ? 'grants' : undefined;
}
