import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessPlanning } from '../cases/access-planning.service.js';
import { CasesService } from '../cases/cases.service.js';
import { PeopleService } from '../people/people.service.js';
import type { Actor } from '../platform/sign-in/actor.js';

/** Somebody's department, location or kind of employment changed, or one of several employments ended. */
@Injectable()
export class MoversService {
  constructor(
    private readonly people: PeopleService,
    private readonly cases: CasesService,
    private readonly access: AccessPlanning,
  ) {}

  /** Brings access to what the policy grants now. Undefined when a hold stands: the release will plan anew. */
  async apply(tx: EntityManager, personId: string, actor: Actor, now: Date): Promise<string | undefined> {
    const person = await this.people.lock(tx, personId);
    const holds = await this.cases.standingHolds(tx, personId);
    if (person.status !== 'active' || holds.length > 0) return undefined;
    await this.cases.supersedeGrants(tx, personId, 'A newer decision about the person replaced this one.');
    const generation = await this.people.nextGeneration(tx, personId);
    const plan = await this.access.plan(tx, person, generation, now);
    return this.cases.open(tx, {
      kind: 'mover',
      lane: 'standard',
      personId,
      generation,
      actor,
      steps: plan.steps,
      policyVersionId: plan.policyVersionId,
      facts: { deviceModel: plan.deviceModel, unknownTools: plan.unknownTools },
    });
  }
}
