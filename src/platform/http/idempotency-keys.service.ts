import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';

/** What the key stands for: the same key for anything else is refused. */
export interface KeyedRequest {
  actorId: string;
  key: string;
  /** Method and path, as in `POST /v1/cases`. */
  route: string;
  bodyDigest: Buffer;
}

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** Either the request is ours to work on, under a lock, or it was answered before. */
export type Claim = { kind: 'ours'; lock: string } | { kind: 'answered'; answer: StoredAnswer };

interface Row {
  same: boolean;
  status: number | null;
  response: Omit<StoredAnswer, 'status'> | null;
}

/** How long a request may work under its key. A process that died frees it so; no request takes longer than its statements may. */
const LOCK_SECONDS = 30;
/** How long an answer is kept; the draft (httpapi-idempotency-key-header) leaves it to the server. */
export const KEPT_HOURS = 24;

/**
 * Idempotency-Keys (IETF draft-ietf-httpapi-idempotency-key-header). The answer is stored after the business
 * transaction: a process that dies between the two has the retry work again, so commands refuse or recognise what is
 * there already. A request that failed keeps no answer, since it changed nothing: its key may be used again.
 */
@Injectable()
export class IdempotencyKeys {
  constructor(private readonly db: DataSource) {}

  /** @throws Problem `request-in-flight` (409), `idempotency-key-reused` (422) */
  async claim(request: KeyedRequest): Promise<Claim> {
    const { actorId, key, route, bodyDigest } = request;
    const [claimed] = await queryRows<{ lock: string }>(
      this.db,
      `INSERT INTO idempotency_keys AS k (actor_id, key, route, body_digest, locked_until)
       VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
       ON CONFLICT (actor_id, key) DO UPDATE
       SET route = excluded.route, body_digest = excluded.body_digest, locked_until = excluded.locked_until,
         status = NULL, response = NULL, created_at = now()
       WHERE k.created_at < now() - make_interval(hours => $6)
         OR (k.status IS NULL AND k.locked_until < clock_timestamp()
             AND k.route = excluded.route AND k.body_digest = excluded.body_digest)
       RETURNING locked_until::text AS lock`,
      [actorId, key, route, bodyDigest, LOCK_SECONDS, KEPT_HOURS],
    );
    if (claimed) return { kind: 'ours', lock: claimed.lock };

    const [row] = await queryRows<Row>(
      this.db,
      `SELECT route = $3 AND body_digest = $4 AS same, status, response FROM idempotency_keys
       WHERE actor_id = $1 AND key = $2`,
      [actorId, key, route, bodyDigest],
    );
    if (row && !row.same) {
      throw new Problem('idempotency-key-reused', 'This Idempotency-Key was used for another request. Take a new one.');
    }
    if (row?.status && row.response) return { kind: 'answered', answer: { status: row.status, ...row.response } };
    throw new Problem(
      'request-in-flight',
      'The first request with this Idempotency-Key is still being worked on. Ask again shortly.',
    );
  }

  /** Keeps the answer, unless somebody else took the request over after our lock ran out. */
  async keep({ actorId, key }: KeyedRequest, lock: string, { status, ...response }: StoredAnswer): Promise<void> {
    await this.db.query(
      `UPDATE idempotency_keys SET status = $4, response = $5, locked_until = NULL
       WHERE actor_id = $1 AND key = $2 AND locked_until = $3::timestamptz`,
      [actorId, key, lock, status, JSON.stringify(response)],
    );
  }

  /** The request failed: the same key may be tried again. */
  async release({ actorId, key }: KeyedRequest, lock: string): Promise<void> {
    await this.db.query(
      `DELETE FROM idempotency_keys WHERE actor_id = $1 AND key = $2 AND locked_until = $3::timestamptz`,
      [actorId, key, lock],
    );
  }

  /** Forgets what is older than a day. */
  async forgetOld(): Promise<void> {
    await this.db.query(`DELETE FROM idempotency_keys WHERE created_at < now() - make_interval(hours => $1)`, [
      KEPT_HOURS,
    ]);
  }
}
