import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { Acknowledgements } from '../devices/acknowledgements/acknowledgements.service.js';
import { DeviceExceptions } from '../devices/device-exceptions.service.js';
import { ReturnRecords } from '../devices/returns/return-records.service.js';
import { Spares } from '../devices/spares/spares.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { chaseReturn } from './chase-return.js';

/** Any fixed number: one process at a time looks. */
const WATCH_LOCK = 7_154_882_033;
/** Days after which people hear again of what is still so. */
const AGAIN_AFTER = 7;

/** Looks for what people owe about devices, and tells them. */
@Injectable()
export class DeviceWatch {
  constructor(
    private readonly db: DataSource,
    private readonly exceptions: DeviceExceptions,
    private readonly acknowledgements: Acknowledgements,
    private readonly returns: ReturnRecords,
    private readonly spares: Spares,
    private readonly alerts: AlertsService,
  ) {}

  async look(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        WATCH_LOCK,
      ]);
      if (!lock?.mine) return;
      await this.tellOfExceptions(tx);
      await this.tellOfUnsigned(tx);
      await this.tellOfReturns(tx);
      await this.tellOfShortages(tx);
    });
  }

  private async tellOfExceptions(tx: EntityManager): Promise<void> {
    const overdue = await this.exceptions.overdue(tx);
    await this.alerts.keepTo(
      tx,
      'exception_overdue',
      overdue.map(({ id, assetTag, endsOn, reason, ownerEmail, ownerHasLeft }) => ({
        dedupKey: `exception_overdue:${id}`,
        kind: 'exception_overdue',
        severity: 'warning',
        owner: ownerHasLeft ? 'it-admins' : ownerEmail,
        message: `The exception for the device ${assetTag} ended on ${endsOn} (${reason}). Replace the device, or grant another exception.`,
      })),
      AGAIN_AFTER,
    );
  }

  private async tellOfUnsigned(tx: EntityManager): Promise<void> {
    const unsigned = await this.acknowledgements.overdue(tx);
    await this.alerts.keepTo(
      tx,
      'device_unacknowledged',
      unsigned.map(({ id, askedAt, assetTag, email }) => ({
        dedupKey: `device_unacknowledged:${id}`,
        kind: 'device_unacknowledged',
        severity: 'warning',
        owner: email,
        message: `${email} was given the device ${assetTag} on ${askedAt.toISOString().slice(0, 10)} and hasn't signed for it. Give them a new link (acknowledgement ${id}).`,
      })),
      AGAIN_AFTER,
    );
  }

  private async tellOfReturns(tx: EntityManager): Promise<void> {
    const now = await databaseNow(tx);
    const overdue = await this.returns.overdue(tx);
    await this.alerts.keepTo(
      tx,
      'device_return_overdue',
      overdue.map((one) => {
        const { level, severity, owner, message } = chaseReturn(one, now);
        return {
          dedupKey: `device_return_overdue:${one.id}:${level}`,
          kind: 'device_return_overdue',
          severity,
          owner,
          message,
        };
      }),
      AGAIN_AFTER,
    );
  }

  private async tellOfShortages(tx: EntityManager): Promise<void> {
    const shelves = await this.spares.list(tx, { short: true });
    await this.alerts.keepTo(
      tx,
      'spares_short',
      shelves.map(({ modelId, modelName, siteId, siteName, ready, minimum, inStock }) => ({
        dedupKey: `spares_short:${modelId}:${siteId}`,
        kind: 'spares_short',
        severity: 'warning',
        owner: 'it-admins',
        message: `${siteName} has ${ready} of ${minimum} spares of ${modelName} that can be given; ${inStock - ready} more are in stock and can't.`,
      })),
      AGAIN_AFTER,
    );
  }
}
