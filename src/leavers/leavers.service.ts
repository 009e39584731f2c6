import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CasesService } from '../cases/cases.service.js';
import { CutPlanning } from '../cases/cut-planning.service.js';
import { PeopleService } from '../people/people.service.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';

/** Somebody's last day is over, or they leave at once. */
@Injectable()
export class LeaversService {
  constructor(
    private readonly people: PeopleService,
    private readonly cases: CasesService,
    private readonly cut: CutPlanning,
  ) {}

  /**
   * Revokes everything. A second leave of somebody who has left changes nothing and answers the case that is there.
   * @param why for the case's facts, e.g. the employment that ended
   */
  async begin(tx: EntityManager, personId: string, actor: Actor, why: Record<string, unknown>): Promise<string> {
    await requireWithin(tx, actor, 'whole person', personId);
    const person = await this.people.lock(tx, personId);
    const earlier = (await this.cases.standingHolds(tx, personId)).find(({ reason }) => reason === 'leaver');
    if (earlier) return earlier.caseId;
    await this.cases.supersedeGrants(tx, personId, 'The person leaves.');
    const generation = await this.people.nextGeneration(tx, personId);
    await this.people.update(tx, actor, person, { status: 'left' });
    return this.cases.open(tx, {
      kind: 'leaver',
      lane: 'standard',
      personId,
      generation,
      actor,
      hold: 'leaver',
      steps: await this.cut.plan(tx, personId),
      facts: why,
    });
  }
}
