import { Injectable } from '@nestjs/common';
import { In, type EntityManager } from 'typeorm';
import type { GrantRef } from '../../connectors/kit/contract.js';
import { newId } from '../platform/ids/new-id.js';
import { Grant, type DesiredPresence } from './grant.entity.js';

/** The only writer of `grants`. */
@Injectable()
export class GrantsService {
  async forAccount(tx: EntityManager, accountId: string): Promise<Grant[]> {
    return tx.find(Grant, { where: { accountId }, order: { kind: 'ASC', name: 'ASC' } });
  }

  async forAccounts(tx: EntityManager, accountIds: readonly string[]): Promise<Grant[]> {
    if (accountIds.length === 0) return [];
    return tx.find(Grant, { where: { accountId: In([...accountIds]) }, order: { kind: 'ASC', name: 'ASC' } });
  }

  async get(tx: EntityManager, id: string): Promise<Grant> {
    return tx.findOneByOrFail(Grant, { id });
  }

  /**
   * Wants a grant on an account, or wants it gone; made when there is none. An older generation changes nothing, and
   * within one generation "absent" stays: a grant fails closed.
   */
  async want(
    tx: EntityManager,
    accountId: string,
    grant: GrantRef,
    desired: DesiredPresence,
    generation: number,
  ): Promise<Grant> {
    const { kind, name } = grant;
    await tx.query(
      `INSERT INTO grants (id, account_id, kind, name, desired, generation) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT ON CONSTRAINT uq_grants_name DO UPDATE
       SET desired = EXCLUDED.desired, generation = EXCLUDED.generation
       WHERE grants.generation < EXCLUDED.generation
          OR (grants.generation = EXCLUDED.generation AND EXCLUDED.desired = 'absent')`,
      [newId(), accountId, kind, name, desired, generation],
    );
    return tx.findOneByOrFail(Grant, { accountId, kind, name });
  }
}
