import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../../cases/alerts.service.js';
import { AuditService } from '../../platform/audit/audit.service.js';
import { erasePersonalData } from '../../platform/audit/erase-personal-data.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';
import { alertKey } from './loss-report.entity.js';

/** Milliseconds between two looks whether some are due. */
const EVERY = 600_000;
/** Reports in one transaction. */
const BATCH = 200;

/**
 * Erases what people told at `/lost` and what was written in deciding about it, some time after it was decided: from the
 * report, from the alert that told of it, and from what the audit log says of it. When, of which device, what was decided
 * and by whom stays, and so does every proof of the log.
 */
@Injectable()
export class EraseLossReports {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
  ) {}

  /** A worker's chore: returns at once until it is time again. */
  async eraseNowAndThen(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    this.notBefore = performance.now() + EVERY;
    await this.eraseDue();
  }

  /** By any number of processes at once. @returns how many were erased */
  async eraseDue(): Promise<number> {
    const { lossReportsKeptDays: days } = this.config;
    if (days === 0) return 0;
    for (let total = 0; ;) {
      const erased = await inTransaction(this.db, (tx) => this.eraseSome(tx, days));
      total += erased;
      if (erased < BATCH) return total;
    }
  }

  private async eraseSome(tx: EntityManager, days: number): Promise<number> {
    // What they typed as an asset tag may be anything: it stays if it is one.
    const erased = await queryRows<{ id: string }>(
      tx,
      `WITH due AS (
         SELECT r.id FROM loss_reports r
         WHERE r.state <> 'waiting' AND r.erased_at IS NULL AND r.decided_at < now() - make_interval(days => $1)
         ORDER BY r.id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED
       )
       UPDATE loss_reports r SET email = '', phone = NULL, words = NULL, from_address = NULL, reason = NULL,
         asset_tag = (SELECT d.asset_tag FROM devices d WHERE d.asset_tag = r.asset_tag), erased_at = now()
       FROM due WHERE r.id = due.id RETURNING r.id`,
      [days],
    );
    if (erased.length === 0) return 0;
    const ids = erased.map(({ id }) => id);
    await this.alerts.forget(
      tx,
      ids.map(alertKey),
      'Somebody said that they lost a laptop. What they told was erased.',
    );
    await erasePersonalData(tx, this.audit, SYSTEM, { subjectKind: 'loss-report', subjectIds: ids });
    await this.audit.recordAll(
      tx,
      SYSTEM,
      'loss-report.erased',
      ids.map((id) => ({ subject: { kind: 'loss-report', id } })),
    );
    return ids.length;
  }
}
