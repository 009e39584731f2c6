import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService, ownerlessKey } from '../cases/alerts.service.js';
import type { Person } from '../people/person.entity.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { ApiTokens } from '../platform/sign-in/api-tokens.service.js';
import { SignInIdentities } from '../platform/sign-in/sign-in-identities.service.js';

/** What somebody who leaves might do in this very service, by roles and by API tokens. */
@Injectable()
export class RightsOfLeavers {
  constructor(
    private readonly identities: SignInIdentities,
    private readonly tokens: ApiTokens,
    private readonly alerts: AlertsService,
  ) {}

  /** Their roles and their own tokens end with them; the services that they answered for go on, and need somebody else. */
  async end(tx: EntityManager, person: Person, actor: Actor): Promise<void> {
    await this.identities.endRightsOfPerson(tx, actor, person.id);
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
