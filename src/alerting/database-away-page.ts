import { hostname } from 'node:os';
import type { DataSource } from 'typeorm';
import { within } from '../platform/lifecycle/within.js';
import type { OpenChannel } from './channel-settings.js';
import type { Notice } from './send/notice.js';
import { send } from './send/send.js';

/** Milliseconds. */
const AWAY_AFTER = 30_000;
const ANSWER_WITHIN = 2_000;
const LOAD_EVERY = 10_000;
const PAGE_AGAIN_AFTER = 10_000;

export interface DatabaseAwayOptions {
  db: DataSource;
  /** All channels, opened, in the order in which they are to be tried. */
  loadChannels: () => Promise<OpenChannel[]>;
  processName: string;
  publicUrl: string;
  /** A monotonic clock, in milliseconds. */
  clock?: () => number;
}

/**
 * The one alert that can't wait in PostgreSQL. A process that has been without it for 30 s tells people directly, by the
 * channels that it opened while it had it: the first that works. When PostgreSQL is back, those that were told hear it.
 */
export class DatabaseAwayPage {
  private channels: OpenChannel[] = [];
  private loadedAt = -Infinity;
  private lastAnswer: number;
  private triedAt = -Infinity;
  private told: { channels: OpenChannel[]; since: Date } | undefined;
  private readonly clock: () => number;

  constructor(private readonly options: DatabaseAwayOptions) {
    this.clock = options.clock ?? (() => performance.now());
    this.lastAnswer = this.clock();
  }

  /** Asks PostgreSQL, and does what follows from its answer, or from its silence. Never throws. */
  async look(): Promise<void> {
    const answers = await within(ANSWER_WITHIN, this.options.db.query('SELECT 1')).then(
      () => true,
      () => false,
    );
    if (!answers) return this.onSilence();
    this.lastAnswer = this.clock();
    if (this.told) await this.tellThatItIsBack(this.told);
    if (this.clock() - this.loadedAt < LOAD_EVERY) return;
    this.loadedAt = this.clock();
    this.channels = await this.options.loadChannels().catch(() => this.channels);
  }

  private async onSilence(): Promise<void> {
    const now = this.clock();
    if (this.told || now - this.lastAnswer < AWAY_AFTER || now - this.triedAt < PAGE_AGAIN_AFTER) return;
    this.triedAt = now;
    const since = new Date(Date.now() - (now - this.lastAnswer));
    const failures: string[] = [];
    for (const channel of this.channels) {
      const outcome = await send(channel, this.notice('trigger', since, failures.join(' ') || null));
      if (outcome.outcome === 'sent') {
        this.told = { channels: [channel], since };
        return;
      }
      failures.push(`“${channel.name}” failed: ${outcome.why}`);
    }
    // Nobody could be told: the console is left.
    process.stderr.write(`ALERT critical for it-admins: ${this.summary()}\n`);
  }

  private async tellThatItIsBack({ channels, since }: { channels: OpenChannel[]; since: Date }): Promise<void> {
    this.told = undefined;
    await Promise.all(channels.map((channel) => send(channel, this.notice('resolve', since, null))));
  }

  private notice(action: Notice['action'], since: Date, note: string | null): Notice {
    return {
      // By host: of two servers that each lost it, one may have it back before the other.
      dedupKey: `quartermaster/database-away/${new URL(this.options.publicUrl).host}/${hostname()}`,
      action,
      severity: 'critical',
      kind: 'database_away',
      summary: this.summary(),
      owner: 'it-admins',
      note,
      since,
      from: this.options.publicUrl,
    };
  }

  private summary(): string {
    return `${this.options.processName} on ${hostname()} has been without PostgreSQL for ${AWAY_AFTER / 1000} s: nothing is accepted and nothing is done.`;
  }
}
