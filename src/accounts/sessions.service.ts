import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { LiveThings } from '../../connectors/kit/contract.js';
import { newId } from '../platform/ids/new-id.js';
import { Session } from './session.entity.js';

/** The only writer of `sessions`. */
@Injectable()
export class SessionsService {
  async forAccount(tx: EntityManager, accountId: string): Promise<Session[]> {
    return tx.find(Session, { where: { accountId }, order: { firstSeenAt: 'DESC', id: 'DESC' } });
  }

  /**
   * Live ones are kept by the tool's own id, and those that it doesn't show any more have ended. A look that shows a
   * number without ids tells that something lives, and not what: then only a zero ends anything.
   */
  async recordLive(tx: EntityManager, accountId: string, things: LiveThings, at: Date): Promise<void> {
    if (!things.seen) return;
    if (things.ids === undefined && things.live > 0) return;
    const ids = [...new Set(things.ids ?? [])];
    await tx.query(
      `UPDATE sessions SET state = 'ended', ended_at = $3
       WHERE account_id = $1 AND state = 'live' AND external_id <> ALL($2::text[])`,
      [accountId, ids, at],
    );
    if (ids.length === 0) return;
    await tx.query(
      `INSERT INTO sessions (id, account_id, external_id, state, first_seen_at, last_seen_at)
       SELECT id, $1, external_id, 'live', $4, $4 FROM unnest($2::uuid[], $3::text[]) AS shown (id, external_id)
       ON CONFLICT ON CONSTRAINT uq_sessions_external_id DO UPDATE
       SET state = 'live', last_seen_at = EXCLUDED.last_seen_at, ended_at = NULL`,
      [accountId, ids.map(() => newId()), ids, at],
    );
  }
}
