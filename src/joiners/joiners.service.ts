import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessPlanning } from '../cases/access-planning.service.js';
import { CasesService } from '../cases/cases.service.js';
import type { Employment } from '../people/employment.entity.js';
import { EmploymentsService } from '../people/employments.service.js';
import { PeopleService } from '../people/people.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { planStart } from './plan-start.js';

/** Somebody's first day has come, for the first time or again. */
@Injectable()
export class JoinersService {
  constructor(
    private readonly people: PeopleService,
    private readonly employments: EmploymentsService,
    private readonly cases: CasesService,
    private readonly access: AccessPlanning,
  ) {}

  /** Gives what the policy grants. A leaver's hold is lifted by it; any other hold stays, and nothing is given under one. */
  async begin(tx: EntityManager, employment: Employment, actor: Actor, now: Date): Promise<string> {
    const before = await this.people.lock(tx, employment.personId);
    const start = planStart({ status: before.status, holds: await this.cases.standingHolds(tx, before.id) });
    await this.employments.markStartApplied(tx, employment.id, now);
    await this.cases.supersedeGrants(tx, before.id, 'A newer start of employment replaced this.');
    const generation = await this.people.nextGeneration(tx, before.id);
    const person = await this.people.update(tx, actor, before, { status: 'active' });
    const plan = start.mayGrant ? await this.access.plan(tx, person, generation, now) : undefined;
    const caseId = await this.cases.open(tx, {
      kind: start.kind,
      lane: 'standard',
      personId: person.id,
      generation,
      actor,
      steps: plan?.steps ?? [],
      ...(plan && { policyVersionId: plan.policyVersionId }),
      facts: {
        employmentId: employment.id,
        startDate: employment.startDate,
        zone: employment.zone,
        deviceModel: plan?.deviceModel ?? null,
        unknownTools: plan?.unknownTools ?? [],
        ...(!start.mayGrant && { notGrantedBecause: 'another hold stands' }),
      },
    });
    await this.cases.releaseHolds(tx, start.release, caseId, actor);
    return caseId;
  }
}
