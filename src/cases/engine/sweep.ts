import { channel } from 'node:diagnostics_channel';
import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { AlertsService } from '../alerts.service.js';
import { AFTER_DEATH, AFTER_LAPSE, LONE_CRASHES } from './after-worker.js';
import { CRASHES_BEFORE_ALONE } from './claim.js';
import { MAY_LAND } from './in-the-air.js';
import { PRESENCE_LOCK } from './presence.js';
import { Settlement } from './settle.js';

/** Any number; it keeps two sweepers from doing the same at once. */
const SWEEP_LOCK = 7_140_001;

/** For metrics: steps that a sweep took back, because their worker was gone or because their lease had run out. */
export const leasesLost = channel('quartermaster.leases-lost');
export interface LostLeases {
  gone: number;
  lapsed: number;
}

/**
 * Puts back what a dead or lost worker held. A worker is gone when PostgreSQL has let go of its presence lock: proof,
 * not a guess from silence. Work is taken up at once then, and when a lease lapsed without that proof, all but grants
 * are: a frozen worker that wakes up may still send its grant, so a second one mustn't be sent beside it (I2).
 */
@Injectable()
export class Sweeper {
  constructor(
    private readonly db: DataSource,
    private readonly settlement: Settlement,
    private readonly alerts: AlertsService,
  ) {}

  /** Answers how many steps were put back. */
  async sweep(): Promise<number> {
    const lost = await inTransaction(this.db, async (tx): Promise<LostLeases> => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        SWEEP_LOCK,
      ]);
      if (!lock?.mine) return { gone: 0, lapsed: 0 };
      const gone = await this.releaseOf(tx, await this.buryTheGone(tx));
      const lapsed = await this.releaseLapsed(tx);
      // After both, so that nobody takes a convicted step in between.
      await this.quarantine(tx);
      await this.warnOfOverdue(tx);
      return { gone, lapsed };
    });
    leasesLost.publish(lost);
    return lost.gone + lost.lapsed;
  }

  private async buryTheGone(tx: EntityManager): Promise<string[]> {
    const rows = await queryRows<{ id: string }>(
      tx,
      `UPDATE workers w SET gone_at = now() WHERE gone_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.database =
           (SELECT oid FROM pg_database WHERE datname = current_database())
           AND l.classid = $1 AND l.objid = w.lock_key AND l.objsubid = 2)
       RETURNING id`,
      [PRESENCE_LOCK],
    );
    return rows.map(({ id }) => id);
  }

  private async releaseOf(tx: EntityManager, workerIds: readonly string[]): Promise<number> {
    if (workerIds.length === 0) return 0;
    const interrupted = await queryRows<{ stepId: string }>(
      tx,
      `UPDATE attempts SET abandoned_at = now() WHERE worker_id = ANY($1) AND outcome IS NULL AND abandoned_at IS NULL
       RETURNING step_id AS "stepId"`,
      [workerIds],
    );
    // What a stuck worker was on counts as well, though its lease lapsed long ago and somebody else may hold it by now:
    // a step that makes its workers loop would never be convicted otherwise.
    await tx.query(
      `UPDATE steps SET lone_crashes = lone_crashes + CASE WHEN crashes >= $3 THEN 1 ELSE 0 END, crashes = crashes + 1
       WHERE (lease_owner = ANY($1) OR id = ANY($2)) AND ended_at IS NULL`,
      [workerIds, interrupted.map(({ stepId }) => stepId), CRASHES_BEFORE_ALONE],
    );
    const rows = await queryRows(
      tx,
      `UPDATE steps SET state = CASE WHEN state = 'running' THEN $2::jsonb ->> effect ELSE state END,
         lease_owner = NULL, lease_until = NULL, due_at = now()
       WHERE lease_owner = ANY($1) RETURNING id`,
      [workerIds, AFTER_DEATH],
    );
    return rows.length;
  }

  private async quarantine(tx: EntityManager): Promise<void> {
    const rows = await queryRows<{ id: string }>(
      tx,
      // A newer decision replaces what is a person's, and must not go ahead beside a call that may still land (I2).
      `SELECT id FROM steps s WHERE lone_crashes >= $1 AND state IN ('ready', 'confirming') AND lease_owner IS NULL
         AND NOT EXISTS (SELECT 1 FROM attempts WHERE step_id = s.id AND ${MAY_LAND}) FOR UPDATE SKIP LOCKED`,
      [LONE_CRASHES],
    );
    for (const { id } of rows) {
      await this.settlement.giveToHuman(
        tx,
        id,
        `This step crashed its worker ${LONE_CRASHES} times while it ran alone. It stays out until somebody retries it.`,
      );
    }
  }

  private async releaseLapsed(tx: EntityManager): Promise<number> {
    const rows = await queryRows(
      tx,
      `UPDATE steps SET state = CASE WHEN state = 'running' THEN $1::jsonb ->> effect ELSE state END,
         lease_owner = NULL, lease_until = NULL, due_at = now()
       WHERE lease_until < now() AND lease_owner IS NOT NULL
         AND (state <> 'running' OR $1::jsonb ->> effect <> 'running') RETURNING id`,
      [AFTER_LAPSE],
    );
    return rows.length;
  }

  private async warnOfOverdue(tx: EntityManager): Promise<void> {
    const rows = await queryRows<{ id: string; owner: string; reason: string; tool: string; toolId: string }>(
      tx,
      `SELECT s.id, s.owner, s.reason, t.name AS tool, t.id AS "toolId" FROM steps s JOIN tools t ON t.id = s.tool_id
       WHERE s.state = 'needs_human' AND s.deadline < now() AND NOT EXISTS (
         SELECT 1 FROM alerts a WHERE a.dedup_key = 'step_overdue:' || s.id AND a.resolved_at IS NULL)
       LIMIT 100`,
    );
    for (const { id, owner, reason, tool, toolId } of rows) {
      await this.alerts.raise(tx, {
        dedupKey: `step_overdue:${id}`,
        kind: 'step_overdue',
        severity: 'critical',
        owner,
        message: `${tool}: overdue: ${reason}`,
        stepId: id,
        toolId,
      });
    }
  }
}
