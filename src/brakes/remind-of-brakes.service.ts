import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Brakes, HOLDS_NOTHING, overdueKey } from './brakes.service.js';

/** A held leave that nobody decides about leaves somebody with access: people hear of it again and again. */
@Injectable()
export class RemindOfBrakes {
  constructor(
    private readonly db: DataSource,
    private readonly brakes: Brakes,
    private readonly alerts: AlertsService,
  ) {}

  /** Every four hours anew, as an alert of its own, so that the escalation list starts again. By any process, often. */
  async remind(): Promise<void> {
    const empty = await queryRows<{ id: string }>(
      this.db,
      `SELECT k.id FROM brakes k WHERE k.state = 'standing' AND ${HOLDS_NOTHING}`,
    );
    for (const { id } of empty) await inTransaction(this.db, (tx) => this.brakes.endIfEmpty(tx, id));
    await inTransaction(this.db, async (tx) => {
      const overdue = await queryRows<{ id: string; kind: string; source: string; since: Date }>(
        tx,
        `UPDATE brakes SET told_at = now() WHERE state = 'standing' AND told_at < now() - interval '4 hours'
         RETURNING id, kind, source, since`,
      );
      for (const { id, kind, source, since } of overdue) {
        await this.alerts.resolve(tx, [overdueKey(id)]);
        await this.alerts.raise(tx, {
          dedupKey: overdueKey(id),
          kind: 'brake_overdue',
          severity: 'critical',
          owner: 'it-admins',
          message: `${kind} by ${source} are held since ${since.toISOString()} and nobody has decided: quartermaster brakes show ${id}`,
        });
      }
    });
  }
}
