import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService, ownerlessKey } from '../cases/alerts.service.js';
import type { Person } from '../people/person.entity.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ApiTokens } from '../platform/sign-in/api-tokens.service.js';

/** What becomes of the API tokens that somebody who leaves answers for. */
@Injectable()
export class TokensOfLeavers {
  constructor(
    private readonly tokens: ApiTokens,
    private readonly alerts: AlertsService,
  ) {}

  /** Their own end with them; the services that they answered for go on, and need somebody else. */
  async end(tx: EntityManager, person: Person, actor: Actor): Promise<void> {
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
