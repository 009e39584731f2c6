import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { GrantRef } from '../../connectors/kit/contract.js';
import { readEntities, writeEntities } from '../platform/database/read-entities.js';
import { newId } from '../platform/ids/new-id.js';
import { Grant, type DesiredPresence } from './grant.entity.js';

export interface WantedGrant extends GrantRef {
  accountId: string;
}

/** The only writer of `grants`. */
@Injectable()
export class GrantsService {
  async forAccount(tx: EntityManager, accountId: string): Promise<Grant[]> {
    return tx.find(Grant, { where: { accountId }, order: { kind: 'ASC', name: 'ASC' } });
  }

  async forAccounts(tx: EntityManager, accountIds: readonly string[]): Promise<Grant[]> {
    if (accountIds.length === 0) return [];
    return readEntities(tx, Grant, `WHERE account_id = ANY($1::uuid[]) ORDER BY kind, name`, [accountIds]);
  }

  async get(tx: EntityManager, id: string): Promise<Grant> {
    return tx.findOneByOrFail(Grant, { id });
  }

  /**
   * Wants grants on accounts, or wants them gone; made where there are none. An older generation changes nothing, and
   * within one generation "absent" stays: a grant fails closed.
   *
   * @param grants each once
   * @returns all of these grants as they stand now, in no particular order
   */
  async want(
    tx: EntityManager,
    grants: readonly WantedGrant[],
    desired: DesiredPresence,
    generation: number,
  ): Promise<Grant[]> {
    if (grants.length === 0) return [];
    const rows = grants.map(({ accountId, kind, name }) => ({ id: newId(), account_id: accountId, kind, name }));
    const written = await writeEntities(
      tx,
      Grant,
      `INSERT INTO grants (id, account_id, kind, name, desired, generation)
       SELECT r.id, r.account_id, r.kind, r.name, $2, $3
       FROM jsonb_to_recordset($1::jsonb) AS r (id uuid, account_id uuid, kind text, name text) ORDER BY r.account_id, r.kind, r.name
       ON CONFLICT ON CONSTRAINT uq_grants_name DO UPDATE
       SET desired = EXCLUDED.desired, generation = EXCLUDED.generation
       WHERE grants.generation < EXCLUDED.generation
          OR (grants.generation = EXCLUDED.generation AND EXCLUDED.desired = 'absent')`,
      [JSON.stringify(rows), desired, generation],
    );
    if (written.length === grants.length) return written;
    const standing = await this.forAccounts(tx, [...new Set(grants.map(({ accountId }) => accountId))]);
    return standing.filter((one) => grants.some((grant) => isSame(one, grant)));
  }
}

function isSame(one: WantedGrant, other: WantedGrant): boolean {
  return one.accountId === other.accountId && one.kind === other.kind && one.name === other.name;
}
