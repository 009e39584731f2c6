import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { hashToken } from './secret-token.js';

/** Refuses what comes a second time: an answer of the provider, a logout token. */
@Injectable()
export class UsedOnce {
  /**
   * @param what with its kind, so that two kinds never meet: `logout-token:…`
   * @param minutes for which it could be used again, if it weren't for this
   * @returns false when it was used before
   */
  async use(tx: EntityManager, what: string, minutes: number): Promise<boolean> {
    await tx.query(`DELETE FROM used_once WHERE expires_at < now()`);
    const noted = await queryRows(
      tx,
      `INSERT INTO used_once (digest, expires_at) VALUES ($1, now() + make_interval(mins => $2))
       ON CONFLICT DO NOTHING RETURNING expires_at`,
      [hashToken(what), minutes],
    );
    return noted.length > 0;
  }
}
