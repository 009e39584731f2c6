import { Injectable } from '@nestjs/common';
import { DataSource, IsNull, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { AlertsService } from '../cases/alerts.service.js';
import { AlertChannel } from './alert-channel.entity.js';
import { openChannel, type NewChannel, type OpenChannel } from './channel-settings.js';
import type { SendOutcome } from './send/notice.js';
import { send } from './send/send.js';

/** The key of the alert that says that a channel doesn't work; the database keeps such an alert off that channel. */
export function channelFailedKey(channelId: string): string {
  return `channel_failed:${channelId}`;
}

/** The ways to reach people: the only writer of `alert_channels`, but for the sender's pauses. */
@Injectable()
export class ChannelsService {
  constructor(
    private readonly db: DataSource,
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
    private readonly config: Config,
  ) {}

  async list(): Promise<AlertChannel[]> {
    return this.db.manager.find(AlertChannel, {
      where: { removedAt: IsNull() },
      order: { createdAt: 'ASC', id: 'ASC' },
    });
  }

  /** @throws Problem `conflict` when the name is taken, `invalid-request` for an SMTP user without a password */
  async add(actor: Actor, { kind, name, settings, secret }: NewChannel): Promise<AlertChannel> {
    if (kind === 'smtp' && (settings.user === undefined) !== (secret === undefined)) {
      throw new Problem(
        'invalid-request',
        'A mail server that wants a user wants a password as well, and else neither.',
      );
    }
    return inTransaction(this.db, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`alert-channel ${name}`]);
      if (await tx.existsBy(AlertChannel, { name, removedAt: IsNull() })) {
        throw new Problem('conflict', `There is a channel “${name}” already. Remove it first, or take another name.`);
      }
      const id = newId();
      const secretId = secret === undefined ? null : await this.vault.seal(tx, `alert-channel.${kind}`, secret);
      await tx.insert(AlertChannel, { id, name, kind, settings, secretId });
      await this.audit.record(tx, actor, 'alert-channel.added', {
        subject: { kind: 'alert-channel', id },
        facts: { name, kind },
      });
      return tx.findOneByOrFail(AlertChannel, { id });
    });
  }

  /** @throws Problem `not-found`; `invalid-request` for a channel that has none */
  async replaceSecret(actor: Actor, id: string, secret: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const { name, kind, secretId } = await this.get(tx, id);
      if (!secretId) throw new Problem('invalid-request', `The channel “${name}” has no secret.`);
      await tx.update(AlertChannel, { id }, { secretId: await this.vault.seal(tx, `alert-channel.${kind}`, secret) });
      await this.vault.destroy(tx, secretId);
      await this.audit.record(tx, actor, 'alert-channel.secret-set', {
        subject: { kind: 'alert-channel', id },
        facts: { name, kind },
      });
    });
  }

  /**
   * Destroys its secret. What it hadn't told yet is told by another channel. @throws Problem `not-found`, or `conflict`
   * while the escalation list names it
   */
  async remove(actor: Actor, id: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const channel = await this.get(tx, id);
      const [user] = await queryRows<{ name: string }>(
        tx,
        `SELECT name FROM escalation_contacts WHERE $1 = ANY(channel_ids) ORDER BY level LIMIT 1`,
        [id],
      );
      if (user) {
        throw new Problem('conflict', `“${user.name}” is reached by it. Take it off the escalation list first.`);
      }
      await tx.update(AlertChannel, { id }, { removedAt: () => 'now()', secretId: null });
      if (channel.secretId) await this.vault.destroy(tx, channel.secretId);
      await tx.query(
        `UPDATE alert_deliveries SET state = 'not_needed', failure = 'The channel was removed.', ended_at = now()
         WHERE channel_id = $1 AND state = 'waiting'`,
        [id],
      );
      await this.alerts.resolve(tx, [channelFailedKey(id)]);
      await this.audit.record(tx, actor, 'alert-channel.removed', {
        subject: { kind: 'alert-channel', id },
        facts: { name: channel.name, kind: channel.kind },
      });
    });
  }

  /** Sends a test message at once, and that it is over: what came of the first is the answer. @throws Problem `not-found` */
  async test(actor: Actor, id: string): Promise<SendOutcome> {
    const channel = await this.open(this.db.manager, id);
    const notice = {
      dedupKey: `quartermaster/test/${newId()}`,
      severity: 'info',
      kind: 'test',
      summary: `A test of the channel “${channel.name}”, started by ${actor.name}. Nothing is wrong.`,
      owner: null,
      note: null,
      since: new Date(),
      from: this.config.publicUrl,
    } as const;
    const outcome = await send(channel, { ...notice, action: 'trigger' });
    if (outcome.outcome === 'sent') await send(channel, { ...notice, action: 'resolve' });
    await inTransaction(this.db, (tx) =>
      this.audit.record(tx, actor, 'alert-channel.tested', {
        subject: { kind: 'alert-channel', id },
        facts: { name: channel.name, outcome: outcome.outcome },
      }),
    );
    return outcome;
  }

  /** With its secret, for a call. @throws Problem `not-found`; SecretError */
  async open(tx: EntityManager, id: string): Promise<OpenChannel> {
    return this.openOne(tx, await this.get(tx, id));
  }

  /** All channels that somebody is reached by, in the order in which they would be used. */
  async openInOrder(): Promise<OpenChannel[]> {
    const rows = await queryRows<{ channelId: string }>(
      this.db,
      `SELECT channel_id AS "channelId" FROM alert_routes() GROUP BY 1 ORDER BY min(level), min(place)`,
    );
    const channels = new Map((await this.list()).map((channel) => [channel.id, channel]));
    const inOrder = rows.flatMap(({ channelId }) => channels.get(channelId) ?? []);
    return Promise.all(inOrder.map((channel) => this.openOne(this.db.manager, channel)));
  }

  private async openOne(tx: EntityManager, channel: AlertChannel): Promise<OpenChannel> {
    return openChannel(channel, channel.secretId ? await this.vault.open(tx, channel.secretId) : '');
  }

  private async get(tx: EntityManager, id: string): Promise<AlertChannel> {
    const channel = await tx.findOneBy(AlertChannel, { id, removedAt: IsNull() });
    if (!channel) throw new Problem('not-found', 'There is no alert channel with this id.');
    return channel;
  }
}
