import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService, ownerlessKey } from '../cases/alerts.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';

/** Of tokens from before tokens had owners and ends: one alert, however many there are. */
const UNOWNED = 'tokens_unowned';
/** Days in which somebody has to be found who answers for a service that was made at the start, before there were people. */
const PATIENCE = 7;

/** Tells of API tokens that nobody answers for, and of those that never end. */
@Injectable()
export class TokenWatch {
  constructor(
    private readonly db: DataSource,
    private readonly alerts: AlertsService,
  ) {}

  /** By any process, now and then. */
  async look(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      await this.tellOfOldTokens(tx);
      await this.tellOfServices(tx);
    });
  }

  private async tellOfOldTokens(tx: EntityManager): Promise<void> {
    const names = await queryRows<{ name: string }>(
      tx,
      `SELECT name FROM api_tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
         AND (expires_at IS NULL OR num_nonnulls(owner_person_id, service_principal_id) = 0) ORDER BY id`,
    );
    if (names.length === 0) return this.alerts.resolve(tx, [UNOWNED]);
    const message = `${names.length} API tokens from before have no end, or nobody who answers for them: ${shortList(names)}. They go on. Make new ones and revoke these: quartermaster token list.`;
    await this.alerts.raise(tx, {
      dedupKey: UNOWNED,
      kind: 'token_unowned',
      severity: 'warning',
      owner: 'it-admins',
      message,
    });
    await this.alerts.reword(tx, UNOWNED, message);
  }

  private async tellOfServices(tx: EntityManager): Promise<void> {
    const services = await queryRows<{ id: string; name: string }>(
      tx,
      `SELECT id, name FROM service_principals s WHERE owner_person_id IS NULL
         AND created_at < now() - make_interval(days => $1)
         AND EXISTS (SELECT FROM api_tokens t WHERE t.service_principal_id = s.id AND t.revoked_at IS NULL AND t.expires_at > now())`,
      [PATIENCE],
    );
    for (const { id, name } of services) {
      await this.alerts.raise(tx, {
        dedupKey: ownerlessKey(id),
        kind: 'service_ownerless',
        severity: 'warning',
        owner: 'it-admins',
        message: `Nobody answers for the service “${name}”, whose API tokens go on: name somebody (quartermaster service hand-on).`,
      });
    }
  }
}

function shortList(names: readonly { name: string }[]): string {
  const some = names.slice(0, 5).map(({ name }) => `“${name}”`);
  return names.length > some.length ? `${some.join(', ')} and others` : some.join(', ');
}
