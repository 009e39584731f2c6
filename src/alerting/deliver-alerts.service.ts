import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AlertSeverity } from '../cases/alert.entity.js';
import { AlertsService } from '../cases/alerts.service.js';
import { Config } from '../platform/config/config.js';
import { KeysAway, SecretError } from '../platform/crypto/secret-error.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { Telemetry } from '../platform/telemetry/telemetry.js';
import type { DeliveryAction } from './alert-delivery.entity.js';
import { channelFailedKey, ChannelsService } from './channels.service.js';
import { decideDelivery, type DeliveryDecision } from './decide-delivery.js';
import type { SendOutcome } from './send/notice.js';
import { send, SEND_DEADLINE } from './send/send.js';

/** Milliseconds: longer than a message may take. Who died with one in hand is made up for after it. */
const LEASE = SEND_DEADLINE + 5_000;

/** A delivery in hand: the attempt is committed before anything is sent. */
interface Taken {
  id: string;
  alertId: string;
  channelId: string;
  channelName: string;
  action: DeliveryAction;
  level: number;
  note: string | null;
  attempts: number;
  handedOn: boolean;
  createdAt: Date;
  kind: string;
  severity: AlertSeverity;
  owner: string;
  message: string;
  raisedAt: Date;
}

/** Sends what waits in the outbox: at least once each, and with one key, by which a provider that can tells doubles. */
@Injectable()
export class DeliverAlerts {
  private readonly count: ReturnType<Telemetry['counter']>;

  constructor(
    private readonly db: DataSource,
    private readonly channels: ChannelsService,
    private readonly alerts: AlertsService,
    private readonly config: Config,
    telemetry: Telemetry,
  ) {
    this.count = telemetry.counter({
      name: 'quartermaster_alert_deliveries_total',
      help: 'Messages to alert channels, by channel and what came of them.',
      labels: ['channel', 'outcome'],
    });
  }

  /** Takes what is due, sends it, and notes what came of it. Answers how many messages that were. */
  async deliverDue(): Promise<number> {
    const taken = await inTransaction(this.db, (tx) => this.take(tx));
    await Promise.all(taken.map((one) => this.deliver(one)));
    return taken.length;
  }

  /**
   * The most urgent first. A channel is taken by one process at a time; Slack takes a message a second (docs.slack.dev,
   * “Rate limits”). That something is over isn't told while the word that it began may be on its way.
   */
  private async take(tx: EntityManager): Promise<Taken[]> {
    return queryRows<Taken>(
      tx,
      `WITH ready AS (
         SELECT c.id, c.kind FROM alert_channels c
         WHERE c.removed_at IS NULL AND c.not_before <= now() AND EXISTS (
           SELECT 1 FROM alert_deliveries d WHERE d.channel_id = c.id AND d.state = 'waiting' AND d.next_try_at <= now())
         FOR UPDATE OF c SKIP LOCKED
       ), picked AS (
         SELECT p.id FROM ready r CROSS JOIN LATERAL (
           SELECT d.id FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id
           WHERE d.channel_id = r.id AND d.state = 'waiting' AND d.next_try_at <= now()
             AND (d.leased_until IS NULL OR d.leased_until < now())
             AND CASE d.action WHEN 'trigger' THEN a.resolved_at IS NULL ELSE NOT EXISTS (
               SELECT 1 FROM alert_deliveries t WHERE t.alert_id = d.alert_id AND t.channel_id = d.channel_id
                 AND t.action = 'trigger' AND t.state = 'waiting' AND t.leased_until >= now()) END
           ORDER BY d.urgency, d.created_at, d.id LIMIT CASE r.kind WHEN 'slack' THEN 1 ELSE 8 END
           FOR UPDATE OF d SKIP LOCKED) p
       ), paced AS (
         UPDATE alert_channels SET not_before = now() + interval '1 second'
         WHERE id IN (SELECT id FROM ready WHERE kind = 'slack')
       )
       UPDATE alert_deliveries d SET attempts = attempts + 1, leased_until = now() + $1 * interval '1 ms'
       FROM picked p, alerts a, alert_channels c WHERE d.id = p.id AND a.id = d.alert_id AND c.id = d.channel_id
       RETURNING d.id, d.alert_id AS "alertId", d.channel_id AS "channelId", c.name AS "channelName", d.action, d.level,
         d.note, d.attempts, d.handed_on_at IS NOT NULL AS "handedOn", d.created_at AS "createdAt", a.kind, a.severity,
         a.owner, a.message, a.raised_at AS "raisedAt"`,
      [LEASE],
    );
  }

  private async deliver(taken: Taken): Promise<void> {
    const outcome = await this.send(taken);
    this.count({ channel: taken.channelName, outcome: outcome.outcome });
    const decision = decideDelivery(taken, outcome, { now: new Date(), chance: Math.random() });
    await inTransaction(this.db, (tx) => this.note(tx, taken, outcome, decision));
  }

  private async send(taken: Taken): Promise<SendOutcome> {
    const channel = await this.channels.open(this.db.manager, taken.channelId).catch((error: unknown) => {
      if (error instanceof KeysAway) return 'keys-away' as const;
      if (error instanceof SecretError || error instanceof Problem) return null;
      throw error;
    });
    if (channel === 'keys-away') return { outcome: 'failed', why: "The key that seals its secret can't be had now." };
    if (!channel) return { outcome: 'refused', why: "It was removed, or its secret can't be opened." };
    return send(channel, {
      dedupKey: `quartermaster/${taken.alertId}`,
      action: taken.action,
      severity: taken.severity,
      kind: taken.kind,
      summary: taken.message,
      owner: taken.owner,
      note: taken.note,
      since: taken.raisedAt,
      from: this.config.publicUrl,
    });
  }

  /** Changes nothing when another process has taken the delivery since: then that one notes. */
  private async note(
    tx: EntityManager,
    taken: Taken,
    outcome: SendOutcome,
    { state, nextTryIn, handOn }: DeliveryDecision,
  ): Promise<void> {
    const noted = await queryRows(
      tx,
      `UPDATE alert_deliveries SET state = $3, failure = $4, leased_until = NULL,
         next_try_at = now() + $5 * interval '1 ms', ended_at = CASE WHEN $3 <> 'waiting' THEN now() END,
         handed_on_at = CASE WHEN $6 THEN now() ELSE handed_on_at END
       WHERE id = $1 AND attempts = $2 AND state = 'waiting' RETURNING id`,
      [taken.id, taken.attempts, state, 'why' in outcome ? outcome.why : null, nextTryIn, handOn],
    );
    if (noted.length === 0) return;
    if (outcome.outcome === 'sent') {
      await this.alerts.resolve(tx, [channelFailedKey(taken.channelId)]);
      return;
    }
    if (outcome.outcome === 'failed' && outcome.notBefore) {
      await tx.query(`UPDATE alert_channels SET not_before = GREATEST(not_before, $2) WHERE id = $1`, [
        taken.channelId,
        outcome.notBefore,
      ]);
    }
    if (handOn) await this.handOn(tx, taken, outcome.why);
  }

  /** The next channel tells it and says why; that this one fails is an alert of its own, which goes another way. */
  private async handOn(tx: EntityManager, taken: Taken, why: string): Promise<void> {
    await tx.query(`SELECT tell_alert(id, $2, $3) FROM alerts WHERE id = $1 AND resolved_at IS NULL`, [
      taken.alertId,
      taken.level,
      `Told this way because “${taken.channelName}” failed: ${why}`,
    ]);
    await this.alerts.raise(tx, {
      dedupKey: channelFailedKey(taken.channelId),
      kind: 'channel_failed',
      severity: 'error',
      owner: 'it-admins',
      message: `The alert channel “${taken.channelName}” fails: ${why} Its alerts are told by the next one.`,
    });
  }
}
