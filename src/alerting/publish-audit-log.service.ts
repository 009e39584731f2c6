import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { problemOf, Publisher, type PublicationFailure } from '../platform/audit/publisher.service.js';
import { inTransaction } from '../platform/database/transaction.js';

/** Milliseconds between two rounds: checkpoints come twice a second under load, and nobody needs each of them. */
const EVERY = 5_000;
/** Seconds: a provider's short outage is nobody's business. */
const PATIENCE = 900;

/** Publishes the audit log, and tells people when it isn't the one that was published, or can't be published at all. */
@Injectable()
export class PublishAuditLog {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly publisher: Publisher,
    private readonly alerts: AlertsService,
  ) {}

  /** A worker's chore: returns at once until it is time again. */
  async publishNowAndThen(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    this.notBefore = performance.now() + EVERY;
    await this.publishOrTell();
  }

  async publishOrTell(): Promise<void> {
    const { published, failures } = await this.publisher.publish();
    if (published.length === 0 && failures.length === 0) return;
    await inTransaction(this.db, async (tx) => {
      await this.alerts.resolve(tx, published.map(unpublished));
      for (const { target, error, failingFor } of failures) {
        if (error instanceof BrokenLog) {
          await this.alerts.raise(tx, {
            dedupKey: `audit_log_broken:${target}`,
            kind: 'audit_log_broken',
            severity: 'critical',
            owner: 'it-admins',
            message: `The audit log isn’t the one that was published at ${target}, and nothing more is published there. ${error.message} Run \`quartermaster audit verify\` with the checkpoint from there.`,
          });
        } else if (failingFor > PATIENCE) await this.alerts.raise(tx, late(target, error, failingFor));
      }
    });
  }
}

function late(target: string, error: unknown, failingFor: PublicationFailure['failingFor']) {
  return {
    dedupKey: unpublished(target),
    kind: 'audit_log_unpublished' as const,
    severity: 'error' as const,
    owner: 'it-admins',
    message: `The audit log could not be published at ${target} for ${Math.round(failingFor / 60)} minutes: ${problemOf(error)}. It is tried again; nothing is lost.`,
  };
}

function unpublished(target: string): string {
  return `audit_log_unpublished:${target}`;
}
