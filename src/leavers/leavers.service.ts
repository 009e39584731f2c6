import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService, ownerlessKey } from '../cases/alerts.service.js';
import { CasesService } from '../cases/cases.service.js';
import { CutPlanning } from '../cases/cut-planning.service.js';
import type { Person } from '../people/person.entity.js';
import { PeopleService } from '../people/people.service.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ApiTokens } from '../platform/sign-in/api-tokens.service.js';

/** Somebody's last day is over, or they leave at once. */
@Injectable()
export class LeaversService {
  constructor(
    private readonly people: PeopleService,
    private readonly cases: CasesService,
    private readonly cut: CutPlanning,
    private readonly tokens: ApiTokens,
    private readonly alerts: AlertsService,
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
    await this.endTokens(tx, person, actor);
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

  /** Their own tokens end with them; the services that they answered for go on, and need somebody else. */
  private async endTokens(tx: EntityManager, person: Person, actor: Actor): Promise<void> {
    for (const { id, name } of await this.tokens.ownerLeft(tx, actor, person.id)) {
      await this.alerts.raise(tx, {
        dedupKey: ownerlessKey(id),
        kind: 'service_ownerless',
        severity: 'warning',
        owner: 'it-admins',
        message: `${person.displayName}, who answered for the service “${name}”, has left. Its tokens go on: name somebody else (service-principals hand-on).`,
      });
    }
  }
}
