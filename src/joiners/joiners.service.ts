import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Brakes, type HeldCase } from '../brakes/brakes.service.js';
import { AccessPlanning } from '../cases/access-planning.service.js';
import { CasesService } from '../cases/cases.service.js';
import type { Employment } from '../people/employment.entity.js';
import { EmploymentsService } from '../people/employments.service.js';
import { PeopleService } from '../people/people.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { planStart } from './plan-start.js';
import { together } from '../platform/database/together.js';

/** Somebody's first day has come, for the first time or again. */
@Injectable()
export class JoinersService {
  constructor(
    private readonly people: PeopleService,
    private readonly employments: EmploymentsService,
    private readonly cases: CasesService,
    private readonly access: AccessPlanning,
    private readonly brakes: Brakes,
  ) {}

  /**
   * Gives what the policy grants. A leaver's hold is lifted by it; any other hold stays, and nothing is given under one.
   * Beyond the limit of its source it is planned and held.
   */
  async begin(
    tx: EntityManager,
    employment: Employment,
    actor: Actor,
    now: Date,
  ): Promise<{ caseId: string; held: boolean }> {
    const [before, holds] = await together([
      this.people.lock(tx, employment.personId),
      this.cases.standingHolds(tx, employment.personId),
    ]);
    const start = planStart({ status: before.status, holds });
    const [generation, person] = await together([
      this.people.nextGeneration(tx, before.id),
      this.people.update(tx, actor, before, { status: 'active' }),
      this.employments.markStartApplied(tx, employment.id, now),
      this.cases.supersedeGrants(tx, before.id, 'A newer start of employment replaced this.'),
    ]);
    const plan = start.mayGrant ? await this.access.plan(tx, person, generation, now) : undefined;
    const change = { kind: 'grants', actor, personId: person.id } as const;
    const verdict = await this.brakes.admit(tx, change);
    const held = !verdict.passes && plan !== undefined && plan.steps.length > 0;
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
      held,
    });
    await this.cases.releaseHolds(tx, start.release, caseId, actor);
    await this.replace(tx, verdict.held, actor);
    if (held) await this.brakes.hold(tx, change, caseId);
    return { caseId, held };
  }

  /** What brakes held of the person before: a leave isn't to be done any more, and older grants are replaced. */
  private async replace(tx: EntityManager, before: readonly HeldCase[], actor: Actor): Promise<void> {
    for (const one of before.filter(({ kind }) => kind === 'leaves')) {
      await this.brakes.drop(tx, one, actor, 'The person starts again.');
    }
    await this.brakes.replaced(
      tx,
      before.filter(({ kind }) => kind !== 'leaves'),
    );
  }
}
