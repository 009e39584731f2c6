import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccountsService } from '../accounts/accounts.service.js';
import { CredentialsService } from '../accounts/credentials.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { Step } from './step.entity.js';

/** What a person says of a tool that can't be asked: written down as observed, with them as the source. */
@Injectable()
export class AttestedWork {
  constructor(
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
  ) {}

  async record(tx: EntityManager, step: Step, actor: Actor): Promise<void> {
    if (step.accountId === null) return;
    const account = await this.accounts.get(tx, step.accountId);
    // Whoever did it by hand set a password of their own, or ended it: the one that we made was never used.
    await this.credentials.revokeCredentials(tx, account.id);
    const unseen = { seen: false, residualUntil: null, because: 'the tool has no API' } as const;
    await this.accounts.recordObservation(
      tx,
      account.id,
      {
        externalId: account.externalId ?? account.username,
        username: account.username,
        mark: null,
        email: null,
        state: step.act === 'suspend_account' ? 'suspended' : 'active',
        sessions: unseen,
        credentials: unseen,
        credentialVersion: null,
      },
      `attested by ${actor.name}`,
      await databaseNow(tx),
    );
  }
}
