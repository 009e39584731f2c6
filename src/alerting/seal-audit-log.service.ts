import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { Sealer } from '../platform/audit/sealer.service.js';
import { inTransaction } from '../platform/database/transaction.js';

/** Seals the audit log, and tells people when it can't be: somebody wrote to the database past this service. */
@Injectable()
export class SealAuditLog {
  constructor(
    private readonly db: DataSource,
    private readonly sealer: Sealer,
    private readonly alerts: AlertsService,
  ) {}

  async sealOrTell(): Promise<void> {
    try {
      await this.sealer.seal();
    } catch (error) {
      if (!(error instanceof BrokenLog)) throw error;
      await inTransaction(this.db, (tx) =>
        this.alerts.raise(tx, {
          dedupKey: 'audit_log_broken',
          kind: 'audit_log_broken',
          severity: 'critical',
          owner: 'it-admins',
          message: `The audit log was changed past this service, and nothing more is sealed. ${error.message} Run \`quartermaster audit verify\` with a checkpoint that was kept elsewhere.`,
        }),
      );
    }
  }
}
