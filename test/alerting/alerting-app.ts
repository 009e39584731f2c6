import { randomUUID } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryStorage } from '@maildev/core';
import { createSMTPServer, type SMTPServer } from '@maildev/smtp';
import { createEmulator, type Emulator } from 'emulate';
import { inject } from 'vitest';
import { AlertsService, type NewAlert } from '../../src/cases/alerts.service.js';
import { ChannelsService } from '../../src/alerting/channels.service.js';
import type { NewChannel } from '../../src/alerting/channel-settings.js';
import { DeliverAlerts } from '../../src/alerting/deliver-alerts.service.js';
import { EscalationService } from '../../src/alerting/escalation.service.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { freePort } from '../../scripts/embedded/free-port.js';
import { PagerDutyEmulator } from '../emulators/pagerduty/pagerduty-emulator.js';
import { waitFor } from '../support/wait-for.js';

export const ROUTING_KEY = 'canary0routing0key00000000000000';
export const MAIL_PASSWORD = 'canary-mail-password';
const SLACK_TOKEN = 'test';
const ALL_SECRETS = [ROUTING_KEY, MAIL_PASSWORD, '/services/'];

export interface Mail {
  subject: string;
  text: string;
  messageId: string;
  inReplyTo: string;
}

export interface Delivery {
  alert: string;
  channel: string;
  action: string;
  state: string;
  attempts: number;
  note: string | null;
  failure: string | null;
}

/** The service in this process with real counterparts: PagerDuty's emulator, `emulate`'s Slack, maildev's SMTP server. */
export class AlertingApp {
  private constructor(
    readonly service: ServiceApp,
    readonly pagerduty: PagerDutyEmulator,
    readonly slack: Emulator,
    readonly mail: SMTPServer,
  ) {}

  static async start(): Promise<AlertingApp> {
    const mailDir = await mkdtemp(join(inject('runFolder'), 'mail-'));
    const mail = createSMTPServer({
      host: '127.0.0.1',
      port: 0,
      mailDir,
      logger: false,
      storage: new MemoryStorage(),
    });
    await mail.start();
    const slack = await createEmulator({
      service: 'slack',
      port: await freePort(),
      seed: { tokens: { [SLACK_TOKEN]: { login: 'admin' } } },
    });
    return new AlertingApp(await startServiceApp(), await PagerDutyEmulator.start(ROUTING_KEY), slack, mail);
  }

  get slackWebhook(): string {
    return `${this.slack.url}/services/T000000001/B000000001/X000000001`;
  }

  /** Channels by kind, in this order; the answer is their ids. */
  async addChannels<Kind extends 'pagerduty' | 'slack' | 'smtp'>(...kinds: Kind[]): Promise<Record<Kind, string>> {
    const ids: Partial<Record<Kind, string>> = {};
    for (const kind of kinds) ids[kind] = await this.addChannel(this.channelOf(kind));
    return ids as Record<Kind, string>;
  }

  async addChannel(channel: NewChannel): Promise<string> {
    return (await this.service.app.get(ChannelsService).add(SYSTEM, channel)).id;
  }

  channelOf(kind: 'pagerduty' | 'slack' | 'smtp', name: string = kind): NewChannel {
    switch (kind) {
      case 'pagerduty':
        return {
          kind,
          name,
          secret: ROUTING_KEY,
          settings: { baseUrl: this.pagerduty.url, allowPrivateAddresses: true },
        };
      case 'slack':
        return { kind, name, secret: this.slackWebhook, settings: { allowPrivateAddresses: true } };
      case 'smtp':
        return {
          kind,
          name,
          settings: {
            host: '127.0.0.1',
            port: this.mail.getPort(),
            tls: 'none',
            from: 'quartermaster@acme.example',
            to: ['oncall@acme.example'],
          },
        };
    }
  }

  /** Raises one, as the engine does: in a transaction. The answer is its key. */
  async raise(alert: Partial<NewAlert> = {}): Promise<string> {
    const dedupKey = alert.dedupKey ?? `needs_human:${randomUUID()}`;
    await this.service.db.transaction((tx) =>
      this.service.app.get(AlertsService).raise(tx, {
        kind: 'needs_human',
        severity: 'critical',
        owner: 'it@acme.example',
        message: 'GitHub, Ada: the permission is missing.',
        ...alert,
        dedupKey,
      }),
    );
    return dedupKey;
  }

  async resolve(dedupKey: string): Promise<void> {
    await this.service.db.transaction((tx) => this.service.app.get(AlertsService).resolve(tx, [dedupKey]));
  }

  /** Sends whatever is due now. */
  async deliver(): Promise<number> {
    return this.service.app.get(DeliverAlerts).deliverDue();
  }

  /** What pauses between tries is over, and each channel may be used again. */
  async letTimePass(): Promise<void> {
    await this.service.db.query(`UPDATE alert_deliveries SET next_try_at = now() WHERE state = 'waiting'`);
    await this.service.db.query(`UPDATE alert_channels SET not_before = now()`);
  }

  async deliverUntilNothingIsDue(): Promise<void> {
    await waitFor('nothing is due', async () => {
      await this.service.db.query(`UPDATE alert_channels SET not_before = now()`);
      return (await this.deliver()) === 0;
    });
  }

  async escalate(): Promise<void> {
    await this.service.app.get(EscalationService).tellWhoIsNext();
  }

  async deliveries(): Promise<Delivery[]> {
    return this.service.db.query<Delivery[]>(
      `SELECT a.dedup_key AS alert, c.name AS channel, d.action, d.state, d.attempts, d.note, d.failure
       FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id JOIN alert_channels c ON c.id = d.channel_id
       ORDER BY d.created_at, d.action DESC, a.raised_at, d.id`,
    );
  }

  /** The texts in Slack's general channel, oldest first. */
  async slackTexts(): Promise<string[]> {
    const call = async (method: string, body: object = {}): Promise<Record<string, unknown>> => {
      const answer = await fetch(`${this.slack.url}/api/${method}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${SLACK_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return (await answer.json()) as Record<string, unknown>;
    };
    const { channels } = (await call('conversations.list')) as { channels: { id: string; name: string }[] };
    const channel = channels.find(({ name }) => name === 'general')?.id;
    const { messages } = (await call('conversations.history', { channel, limit: 1_000 })) as {
      messages: { text: string }[];
    };
    return messages.map(({ text }) => text).toReversed();
  }

  async mails(): Promise<Mail[]> {
    const all = await this.mail.getAllEmails();
    return all.map((mail) => {
      const headers = mail.headers as Record<string, string | undefined>;
      return {
        subject: mail.subject ?? '',
        text: mail.text ?? '',
        messageId: headers['message-id'] ?? '',
        inReplyTo: headers['in-reply-to'] ?? '',
      };
    });
  }

  /** Everything that was logged or stored in plain text, but for the sealed secrets. */
  async everythingWritten(): Promise<string> {
    const rows = await this.service.db.query<object[]>(
      `SELECT to_jsonb(d) FROM alert_deliveries d UNION ALL SELECT to_jsonb(a) FROM alerts a
       UNION ALL SELECT to_jsonb(c) FROM alert_channels c UNION ALL SELECT to_jsonb(e) FROM audit_entries e
       UNION ALL SELECT to_jsonb(k) FROM idempotency_keys k`,
    );
    return this.service.log() + JSON.stringify(rows);
  }

  static readonly secrets: readonly string[] = ALL_SECRETS;

  async stop(): Promise<void> {
    await this.service.close();
    await this.pagerduty.stop();
    await this.slack.close();
    await this.mail.stop();
  }
}
