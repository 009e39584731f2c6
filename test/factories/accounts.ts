import type { EntityManager } from 'typeorm';
import type { ObservedAccount } from '../../connectors/kit/contract.js';
import { Account } from '../../src/accounts/account.entity.js';
import { markOf } from '../../src/accounts/mark.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aPerson } from './people.js';
import { aTool } from './tools.js';

/** Somebody's primary account, seen active at the tool; person and tool are made when they aren't given. */
export async function anAccount(tx: EntityManager, with_: Partial<Account> = {}): Promise<Account> {
  const id = with_.id ?? newId();
  const personId = with_.personId === undefined ? (await aPerson(tx)).id : with_.personId;
  const toolId = with_.toolId ?? (await aTool(tx)).id;
  await tx.insert(Account, {
    username: `user-${id.slice(-12)}`,
    externalId: `ext-${id}`,
    mark: personId === null ? null : markOf(personId, with_.purpose ?? 'primary'),
    desiredState: 'active',
    observedState: 'active',
    observedAt: new Date('2026-01-01T00:00:00Z'),
    observedSource: 'factory',
    ...with_,
    id,
    personId,
    toolId,
  });
  return tx.findOneByOrFail(Account, { id });
}

/** An account as a tool shows it: active, with neither sessions nor other credentials. */
export function anObservedAccount(with_: Partial<ObservedAccount> = {}): ObservedAccount {
  return {
    externalId: 'ext-1',
    username: 'ada',
    mark: null,
    email: 'ada@acme.example',
    state: 'active',
    sessions: { seen: true, live: 0, ids: [] },
    credentials: { seen: true, live: 0 },
    credentialVersion: 'v1',
    ...with_,
  };
}
