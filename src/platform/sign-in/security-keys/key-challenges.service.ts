import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../../database/query-rows.js';
import { inTransaction } from '../../database/transaction.js';
import type { KeyPurpose } from './key-challenge.entity.js';

/** For finding the key, and its PIN. */
export const CHALLENGE_MINUTES = 3;

/** What keys have to sign. In the store, so that any server can take the answer, and takes it once. */
@Injectable()
export class KeyChallenges {
  constructor(private readonly db: DataSource) {}

  /** The session's former one of this purpose counts no more. */
  async keep(sessionId: string, purpose: KeyPurpose, challenge: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await tx.query(`DELETE FROM key_challenges WHERE expires_at < now()`);
      await tx.query(
        `INSERT INTO key_challenges (session_id, purpose, challenge, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(mins => $4))
         ON CONFLICT (session_id, purpose) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at`,
        [sessionId, purpose, challenge, CHALLENGE_MINUTES],
      );
    });
  }

  /**
   * Uses it up at once, in no transaction of the caller's: whatever becomes of the answer, there is no second try.
   * @returns null when this session wasn't asked, answered before, or took too long
   */
  async take(sessionId: string, purpose: KeyPurpose): Promise<string | null> {
    const [taken] = await queryRows<{ challenge: string; isInTime: boolean }>(
      this.db,
      `DELETE FROM key_challenges WHERE session_id = $1 AND purpose = $2
       RETURNING challenge, expires_at > now() AS "isInTime"`,
      [sessionId, purpose],
    );
    return taken?.isInTime ? taken.challenge : null;
  }
}
