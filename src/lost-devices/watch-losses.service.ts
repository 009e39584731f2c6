import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { SYSTEM } from '../platform/sign-in/actor.js';

/** Any fixed number: one process at a time looks. */
const WATCH_LOCK = 7_154_882_062;

/** Ends the tasks that end by what happens elsewhere, tells of those that are overdue, and of any sign of a lost machine. */
@Injectable()
export class WatchLosses {
  constructor(
    private readonly db: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /** By any process, every few seconds. */
  async look(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        WATCH_LOCK,
      ]);
      if (!lock?.mine) return;
      await this.endTasks(tx);
      await this.tellOfOverdue(tx);
      await this.tellOfSigns(tx);
    });
  }

  private async endTasks(tx: EntityManager): Promise<void> {
    await tx.query(
      `UPDATE loss_tasks k SET done_at = now(), done_by = $1
       FROM losses l JOIN cases c ON c.id = l.case_id
       WHERE k.case_id = l.case_id AND k.done_at IS NULL AND (
         (k.ends = 'cut-access' AND c.state = 'closed')
         OR (k.ends = 'give-back-access' AND NOT EXISTS (SELECT FROM holds h WHERE h.case_id = c.id AND h.released_at IS NULL))
         OR (k.ends = 'watch' AND l.watch_until <= now()))`,
      [SYSTEM.name],
    );
    const ended = await queryRows<{ key: string }>(
      tx,
      `SELECT a.dedup_key AS key FROM alerts a JOIN loss_tasks k ON a.dedup_key = 'loss_task_overdue:' || k.case_id || ':' || k.task
       WHERE a.resolved_at IS NULL AND a.kind = 'loss_task_overdue' AND k.done_at IS NOT NULL`,
    );
    await this.alerts.resolve(
      tx,
      ended.map(({ key }) => key),
    );
  }

  private async tellOfOverdue(tx: EntityManager): Promise<void> {
    const overdue = await queryRows<{ caseId: string; task: string; title: string; owner: string; dueAt: Date }>(
      tx,
      `SELECT k.case_id AS "caseId", k.task, k.title, k.owner, k.due_at AS "dueAt" FROM loss_tasks k
       WHERE k.done_at IS NULL AND k.due_at <= now() AND k.ends IS DISTINCT FROM 'watch'
         AND NOT EXISTS (SELECT FROM alerts a WHERE a.dedup_key = 'loss_task_overdue:' || k.case_id || ':' || k.task
                         AND a.resolved_at IS NULL)`,
    );
    for (const { caseId, task, title, owner, dueAt } of overdue) {
      await this.alerts.raise(tx, {
        dedupKey: `loss_task_overdue:${caseId}:${task}`,
        kind: 'loss_task_overdue',
        severity: 'error',
        owner: 'it-admins',
        message: `A laptop was lost, and “${title}” (${owner}) was due at ${dueAt.toISOString()}: quartermaster loss ${caseId}`,
      });
    }
  }

  /** One alert for a loss: a machine that is in use reports every few minutes. What is newest stands in it. */
  private async tellOfSigns(tx: EntityManager): Promise<void> {
    const signs = await queryRows<{ caseId: string; assetTag: string; at: Date; source: string; kind: string }>(
      tx,
      `SELECT l.case_id AS "caseId", d.asset_tag AS "assetTag", o.observed_at AS at, o.source, o.kind
       FROM losses l JOIN cases c ON c.id = l.case_id JOIN devices d ON d.id = l.device_id
       CROSS JOIN LATERAL (SELECT observed_at, source, kind FROM device_observations o
         WHERE o.device_id = l.device_id AND o.observed_at > COALESCE(l.last_sign_at, c.opened_at)
         ORDER BY o.observed_at DESC LIMIT 1) o
       WHERE l.watch_until > now() AND d.state IN ('lost', 'stolen') FOR UPDATE OF l`,
    );
    for (const { caseId, assetTag, at, source, kind } of signs) {
      const message = `${assetTag} was lost and gave a sign at ${at.toISOString()} (${kind.replaceAll('_', ' ')}, by ${source}): it is in use, or it was found. quartermaster loss ${caseId}`;
      const dedupKey = `lost_device_seen:${caseId}`;
      await tx.query(`UPDATE losses SET last_sign_at = $2 WHERE case_id = $1`, [caseId, at]);
      await this.alerts.raise(tx, {
        dedupKey,
        kind: 'lost_device_seen',
        severity: 'critical',
        owner: 'it-admins',
        message,
      });
      await this.alerts.reword(tx, dedupKey, message);
    }
  }
}
