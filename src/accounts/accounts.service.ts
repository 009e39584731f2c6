import { Injectable } from '@nestjs/common';
import { IsNull, Not, type EntityManager } from 'typeorm';
import type { ObservedAccount } from '../../connectors/kit/contract.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { readEntities, writeEntities } from '../platform/database/read-entities.js';
import { together } from '../platform/database/together.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Account, type DesiredState, type ObservedState } from './account.entity.js';
import { purposeOfFound } from './doubtful.js';
import { markOf } from './mark.js';
import { recordObservations, type SeenAccount } from './record-observations.js';
import { clashesOf, usernameFor, type UsernameSource } from './username.js';

export interface AccountToOpen {
  personId: string;
  toolId: string;
  purpose: string;
  username: string;
  generation: number;
  desiredState: DesiredState;
}

export interface NamingTool {
  id: string;
  usernameFrom: UsernameSource;
}

export interface AccountToAdopt {
  personId: string;
  toolId: string;
  found: ObservedAccount;
  /** False: it may be somebody else's, and a person has to say. */
  isProven: boolean;
  desiredState: DesiredState;
  generation: number;
  /** Where it was seen, e.g. `discovery`. */
  source: string;
  at: Date;
}

export interface AccountsFilter {
  personId?: string;
  toolId?: string;
  observedState?: ObservedState;
  desiredState?: DesiredState;
  /** Those that a look found and that belong to nobody. */
  nobodys?: 'true';
}

/**
 * The only writer of `accounts`. What becomes of an account is decided by a case, which also writes the audit entry.
 */
@Injectable()
export class AccountsService {
  /**
   * The person's account for a purpose at a tool: made when there is none (nothing happens at the tool yet), otherwise
   * given this desired state, unless a newer generation has spoken. Its username is kept once it has one.
   */
  async openFor(tx: EntityManager, want: AccountToOpen): Promise<Account> {
    const [account] = await this.openAll(tx, [want]);
    if (!account) throw new Error('the account was not written');
    return account;
  }

  /** As `openFor`, of several at once, each for another tool or purpose; answered in their order. */
  async openAll(tx: EntityManager, wants: readonly AccountToOpen[]): Promise<Account[]> {
    if (wants.length === 0) return [];
    const rows = wants.map(({ personId, toolId, purpose, username, generation, desiredState }) => ({
      id: newId(),
      person_id: personId,
      tool_id: toolId,
      purpose,
      username,
      mark: markOf(personId, purpose),
      generation,
      desired_state: desiredState,
    }));
    const written = await writeEntities(
      tx,
      Account,
      `INSERT INTO accounts (id, person_id, tool_id, purpose, username, mark, generation, desired_state)
       SELECT r.id, r.person_id, r.tool_id, r.purpose, r.username, r.mark, r.generation, r.desired_state
       FROM jsonb_to_recordset($1::jsonb) AS r (id uuid, person_id uuid, tool_id uuid, purpose text, username text, mark text,
         generation bigint, desired_state text) ORDER BY r.tool_id, r.purpose
       ON CONFLICT ON CONSTRAINT uq_accounts_purpose DO UPDATE
       SET desired_state = EXCLUDED.desired_state, generation = EXCLUDED.generation,
           version = accounts.version + 1, updated_at = now()
       WHERE accounts.generation <= EXCLUDED.generation`,
      [JSON.stringify(rows)],
    );
    const isFor = (want: AccountToOpen) => (account: Account) =>
      account.personId === want.personId && account.toolId === want.toolId && account.purpose === want.purpose;
    return together(
      wants.map(async (want) => {
        const { personId, toolId, purpose } = want;
        // Not written: a newer generation has spoken.
        return written.find(isFor(want)) ?? tx.findOneByOrFail(Account, { personId, toolId, purpose });
      }),
    );
  }

  /** The username that a person has at a tool, or would get there; see `newUsernames`. */
  async usernameAt(
    tx: EntityManager,
    toolId: string,
    person: { id: string; corporateEmail: string },
    from: UsernameSource,
  ): Promise<string> {
    const own = await tx.findOneBy(Account, { toolId, personId: person.id, purpose: 'primary' });
    if (own) return own.username;
    const tool = { id: toolId, usernameFrom: from };
    return (await this.newUsernames(tx, person, [tool]))(tool);
  }

  /**
   * Tells which username a person gets at each of these tools, where they have none. Two people with one local part are
   * told apart; names like it stay locked until the commit, so that two transactions don't pick the same.
   */
  async newUsernames(
    tx: EntityManager,
    person: { id: string; corporateEmail: string },
    tools: readonly NamingTool[],
  ): Promise<(tool: NamingTool) => string> {
    const taken = await this.namesLike(
      tx,
      person,
      tools.filter(({ usernameFrom }) => usernameFrom === 'local-part').map(({ id }) => id),
    );
    return ({ id, usernameFrom }) => {
      const others = taken.filter(({ toolId }) => toolId === id).map(({ username }) => username);
      return usernameFor(person.corporateEmail, usernameFrom, others);
    };
  }

  private async namesLike(
    tx: EntityManager,
    person: { id: string; corporateEmail: string },
    toolIds: readonly string[],
  ): Promise<{ toolId: string; username: string }[]> {
    if (toolIds.length === 0) return [];
    const clashes = clashesOf(person.corporateEmail);
    // One round trip; the names are read when the lock is held.
    const [, taken] = await together([
      tx.query(
        prepared(
          `SELECT pg_advisory_xact_lock(hashtextextended('usernames of ' || tool || ' ' || $2, 0)) FROM unnest($1::text[]) AS tool`,
        ),
        [toolIds.toSorted(), clashes.lock],
      ),
      queryRows<{ toolId: string; username: string }>(
        tx,
        prepared(`SELECT tool_id AS "toolId", username FROM accounts WHERE tool_id = ANY($1::uuid[]) AND person_id IS DISTINCT FROM $2
           AND (lower(username) = $3 OR lower(username) LIKE $4)`),
        [toolIds, person.id, clashes.name, clashes.pattern],
      ),
    ]);
    return taken;
  }

  /** @throws Problem `not-found` */
  async get(tx: EntityManager, id: string): Promise<Account> {
    return known(await tx.findOneBy(Account, { id }));
  }

  /** @throws Problem `not-found` */
  async lock(tx: EntityManager, id: string): Promise<Account> {
    return known(await tx.findOne(Account, { where: { id }, lock: { mode: 'pessimistic_write' } }));
  }

  /** All of a person's accounts, those that are gone included, in the order in which they were recorded. */
  async forPerson(tx: EntityManager, personId: string): Promise<Account[]> {
    return readEntities(tx, Account, `WHERE person_id = $1 ORDER BY id`, [personId]);
  }

  /** The account that has this name at a tool, as far as it is recorded; null for none. */
  async namedAt(tx: EntityManager, toolId: string, username: string): Promise<Account | null> {
    return tx.findOneBy(Account, { toolId, username, externalId: Not(IsNull()) });
  }

  async list(
    tx: EntityManager,
    actor: Actor,
    filter: AccountsFilter,
    page: { after: string | null; limit: number },
  ): Promise<Account[]> {
    const query = tx.createQueryBuilder(Account, 'account').orderBy('account.id').limit(page.limit);
    keepWithin(query, actor, 'account');
    if (page.after) query.andWhere('account.id > :after', { after: page.after });
    const { personId, toolId, observedState, desiredState, nobodys } = filter;
    if (personId) query.andWhere('account.person_id = :personId', { personId });
    if (toolId) query.andWhere('account.tool_id = :toolId', { toolId });
    if (observedState) query.andWhere('account.observed_state = :observedState', { observedState });
    if (desiredState) query.andWhere('account.desired_state = :desiredState', { desiredState });
    if (nobodys) query.andWhere('account.person_id IS NULL');
    return query.getMany();
  }

  /** @param generation the person's, when a decision about grants is behind it; never lowers the account's own */
  async setDesired(
    tx: EntityManager,
    accountIds: readonly string[],
    state: DesiredState,
    generation?: number,
  ): Promise<void> {
    if (accountIds.length === 0) return;
    await tx.query(
      prepared(`UPDATE accounts SET desired_state = $2, generation = GREATEST(generation, $3::bigint),
              version = version + 1, updated_at = now()
       WHERE id = ANY($1::uuid[])`),
      [accountIds, state, generation ?? 0],
    );
  }

  /**
   * What looks at tools showed. Sessions and grants are brought up to date with them; an older look changes nothing.
   *
   * @returns the accounts of which something new was written
   */
  async recordObservations(tx: EntityManager, looks: readonly SeenAccount[]): Promise<ReadonlySet<string>> {
    return recordObservations(tx, looks);
  }

  /**
   * Takes in an account that discovery found. One that carries the mark of a record without a known id is that
   * record's: a create whose outcome was lost. Any other becomes a record of its own (see `doubtful.ts`).
   *
   * @returns null when the tool's account is recorded as somebody else's, or as a service's: not this person's to touch
   */
  async adoptFound(
    tx: EntityManager,
    { personId, toolId, found, ...adoption }: AccountToAdopt,
  ): Promise<Account | null> {
    const { externalId } = found;
    const recorded = await tx.findOneBy(Account, { toolId, externalId });
    if (recorded && (recorded.personId !== personId || recorded.kind !== 'person')) return null;
    const account = recorded ?? (await this.recordFor(tx, { personId, toolId, found, ...adoption }));
    const { source, at } = adoption;
    await recordObservations(tx, [{ accountId: account.id, observed: found, source, at }]);
    return this.get(tx, account.id);
  }

  private async recordFor(tx: EntityManager, adoption: AccountToAdopt): Promise<Account> {
    const { personId, toolId, found, isProven, desiredState, generation } = adoption;
    const ofMark = found.mark === null ? null : await tx.findOneBy(Account, { personId, toolId, mark: found.mark });
    if (ofMark && ofMark.externalId === null) return ofMark;
    const purpose = purposeOfFound(found.externalId, isProven);
    const account = await this.openFor(tx, {
      personId,
      toolId,
      purpose,
      username: found.username,
      generation,
      desiredState,
    });
    // The mark that it carries at the tool, if any: ours for this purpose was never written there.
    await tx.update(Account, { id: account.id }, { mark: found.mark });
    return account;
  }
}

function known(account: Account | null): Account {
  if (!account) throw new Problem('not-found', 'There is no account with this id.');
  return account;
}
