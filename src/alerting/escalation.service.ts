import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { EscalationContact } from './escalation-contact.entity.js';

export interface Contact {
  name: string;
  channelIds: readonly string[];
  waitSeconds: number;
}

/** Any fixed number: one process at a time decides who is told next. */
const ESCALATION_LOCK = 7_154_882_031;

/** Who is told, in which order, and after how long. */
@Injectable()
export class EscalationService {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
  ) {}

  async list(): Promise<EscalationContact[]> {
    return this.db.manager.find(EscalationContact, { order: { level: 'ASC' } });
  }

  /** The whole list, the first to be told first. @throws Problem `invalid-request` for a channel that isn't there */
  async replace(actor: Actor, contacts: readonly Contact[]): Promise<EscalationContact[]> {
    await inTransaction(this.db, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock($1)`, [ESCALATION_LOCK]);
      const named = [...new Set(contacts.flatMap(({ channelIds }) => channelIds))];
      const known = await queryRows<{ id: string }>(
        tx,
        `SELECT id FROM alert_channels WHERE id = ANY($1) AND removed_at IS NULL FOR SHARE`,
        [named],
      );
      if (known.length < named.length) {
        throw new Problem('invalid-request', 'A channel that the list names is not there. See GET /v1/alert-channels.');
      }
      await tx.query(`DELETE FROM escalation_contacts`);
      for (const [index, { name, channelIds, waitSeconds }] of contacts.entries()) {
        await tx.insert(EscalationContact, { level: index + 1, name, channelIds: [...channelIds], waitSeconds });
      }
      await this.audit.record(tx, actor, 'escalation.changed', {
        subject: { kind: 'escalation', id: 'list' },
        facts: { contacts: contacts.length },
      });
    });
    return this.list();
  }

  /** Sees to it that each open alert is told to somebody, and to the next when it stays open for too long. */
  async tellWhoIsNext(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        ESCALATION_LOCK,
      ]);
      if (!lock?.mine) return;
      await this.dropWhatIsOver(tx);
      await this.tellTheUntold(tx);
      await this.escalate(tx);
    });
  }

  /** Alerts that ended while a try had failed: nobody was told, so nobody needs to be. */
  private async dropWhatIsOver(tx: EntityManager): Promise<void> {
    await tx.query(
      `UPDATE alert_deliveries d SET state = 'not_needed', ended_at = now() FROM alerts a
       WHERE a.id = d.alert_id AND a.resolved_at IS NOT NULL AND d.state = 'waiting' AND d.action = 'trigger'
         AND (d.leased_until IS NULL OR d.leased_until < now())`,
    );
  }

  /** Alerts from before there was a channel, or whose channel was removed before it told them. */
  private async tellTheUntold(tx: EntityManager): Promise<void> {
    await tx.query(
      `SELECT tell_alert(a.id, 0, NULL) FROM alerts a
       WHERE a.resolved_at IS NULL AND EXISTS (SELECT 1 FROM alert_routes()) AND NOT EXISTS (
         SELECT 1 FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id AND c.removed_at IS NULL
         WHERE d.alert_id = a.id AND d.action = 'trigger' AND d.state IN ('waiting', 'sent'))
       ORDER BY a.raised_at LIMIT 500`,
    );
  }

  /**
   * Warnings stay with the first: what they warn of has a deadline, and passing that is a critical alert of its own.
   * The last on the list is told once.
   */
  private async escalate(tx: EntityManager): Promise<void> {
    await tx.query(
      `WITH told AS (
         SELECT d.alert_id, d.level, min(d.created_at) AS since FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id
         WHERE a.resolved_at IS NULL AND a.severity IN ('critical', 'error') AND d.action = 'trigger' GROUP BY 1, 2
       ), newest AS (SELECT DISTINCT ON (alert_id) * FROM told ORDER BY alert_id, level DESC)
       SELECT tell_alert(n.alert_id, n.level + 1,
         format('Nobody has ended it in the %s min since %s was told', round(EXTRACT(EPOCH FROM now() - n.since) / 60), e.name))
       FROM newest n JOIN escalation_contacts e ON e.level = n.level
       WHERE n.since < now() - e.wait_seconds * interval '1 second'
         AND EXISTS (SELECT 1 FROM escalation_contacts later WHERE later.level > n.level)`,
    );
  }
}
