import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { GrantRef, ObservedAccount } from '../../connectors/kit/contract.js';
import type { ObservedState } from '../accounts/account.entity.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { CredentialsService } from '../accounts/credentials.service.js';
import type { Grant } from '../accounts/grant.entity.js';
import { GrantsService } from '../accounts/grants.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import type { StepAct } from './step-states.js';
import type { Step } from './step.entity.js';

/** What a person says of a tool that can't be asked: written down as observed, with them as the source. */
@Injectable()
export class AttestedWork {
  constructor(
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly grants: GrantsService,
  ) {}

  /** @param by who answers for it: one name, or two */
  async record(tx: EntityManager, step: Step, by: string): Promise<void> {
    if (step.accountId === null) return;
    const account = await this.accounts.get(tx, step.accountId);
    // Whoever did it by hand set a password of their own, or ended it: the one that we made was never used.
    await this.credentials.revokeCredentials(tx, [account.id]);
    // That a group isn't on it says nothing of an account that nobody made or saw.
    if (step.act === 'withdraw' && account.externalId === null) return;
    const unseen = { seen: false, residualUntil: null, because: 'the tool has no API' } as const;
    const observed: ObservedAccount = {
      externalId: account.externalId ?? account.username,
      username: account.username,
      mark: null,
      email: null,
      state: stateAfter(step.act, account.observedState),
      sessions: unseen,
      credentials: unseen,
      credentialVersion: null,
      grants: await this.grantsAfter(tx, step, account.id),
    };
    const source = `attested by ${by}`;
    await this.accounts.recordObservations(tx, [
      { accountId: account.id, observed, source, at: await databaseNow(tx) },
    ]);
  }

  /** What stands on the account when this person is right: what was seen before, and the one grant that they changed. */
  private async grantsAfter(tx: EntityManager, { act, grantId }: Step, accountId: string): Promise<GrantRef[]> {
    const recorded = await this.grants.forAccount(tx, accountId);
    const stands = ({ id, observed }: Grant) => (id === grantId ? act === 'grant' : observed === 'present');
    return recorded.filter(stands).map(({ kind, name }) => ({ kind, name }));
  }
}

/** New credentials and grants restore nothing: a suspended account stays what it was seen to be. */
function stateAfter(act: StepAct, before: ObservedState): 'active' | 'suspended' {
  if (act === 'suspend_account') return 'suspended';
  if (act === 'create_account' || act === 'restore_account') return 'active';
  return before === 'suspended' ? 'suspended' : 'active';
}
