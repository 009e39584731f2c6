import { hostname } from 'node:os';
import pg from 'pg';
import { newId } from '../../platform/ids/new-id.js';
import { within } from '../../platform/lifecycle/within.js';
import type { Lane } from '../step-states.js';
import { TIMING } from './timing.js';

/** The class of the advisory locks by which workers are present; the second key is the worker's own number. */
export const PRESENCE_LOCK = 7_140;
const EMERGENCY_CHANNEL = 'quartermaster_emergency';

interface PresenceOptions {
  databaseUrl: string;
  lanes: readonly Lane[];
  /** An emergency step became ready. */
  onWake: () => void;
  /** PostgreSQL let go of us, or has been silent for too long: others may take our steps, so we must stop (I9). */
  onLost: (why: string) => void;
}

/**
 * A worker's presence: a row, and a session-level advisory lock on a connection of its own. While PostgreSQL holds the
 * lock the worker may still be alive; when it is free, the worker is surely gone. The same connection listens for the
 * emergency lane's calls, and its heartbeat shows that both ends still answer.
 */
export class WorkerPresence {
  readonly workerId = newId();
  private readonly client: pg.Client;
  private heartbeat: NodeJS.Timeout | undefined;
  private lastAnswer = Date.now();
  private leaving = false;

  constructor(private readonly options: PresenceOptions) {
    this.client = new pg.Client({
      connectionString: options.databaseUrl,
      application_name: 'quartermaster presence',
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
    });
    const lost = (why: string) => {
      if (!this.leaving) options.onLost(why);
    };
    this.client.on('error', (error) => lost(`the connection to PostgreSQL broke: ${error.message}`));
    this.client.on('end', () => lost('PostgreSQL closed the connection'));
    this.client.on('notification', () => options.onWake());
  }

  async announce(): Promise<void> {
    await this.client.connect();
    // In one transaction: nobody ever sees the row without the lock.
    await this.client.query('BEGIN');
    const { rows } = await this.client.query<{ lock_key: number }>(
      `INSERT INTO workers (id, lanes, host, pid) VALUES ($1, $2, $3, $4) RETURNING lock_key`,
      [this.workerId, this.options.lanes, hostname(), process.pid],
    );
    await this.client.query(`SELECT pg_advisory_lock($1, $2)`, [PRESENCE_LOCK, rows[0]?.lock_key]);
    await this.client.query('COMMIT');
    if (this.options.lanes.includes('emergency')) await this.client.query(`LISTEN ${EMERGENCY_CHANNEL}`);
    this.lastAnswer = Date.now();
    this.heartbeat = setInterval(() => this.beat(), TIMING.heartbeat);
  }

  private beat(): void {
    const silence = Date.now() - this.lastAnswer;
    if (silence > TIMING.silence) {
      this.options.onLost(`PostgreSQL has been silent for ${Math.round(silence / 1000)} s`);
      return;
    }
    this.client
      .query(`UPDATE workers SET seen_at = now() WHERE id = $1`, [this.workerId])
      .then(() => (this.lastAnswer = Date.now()))
      // A broken connection is told by its own event; a refused statement shows as silence.
      .catch(() => undefined);
  }

  async leave(): Promise<void> {
    this.leaving = true;
    clearInterval(this.heartbeat);
    // Said in words, so that nobody takes it for a death.
    const said = this.client.query(`UPDATE workers SET left_at = now() WHERE id = $1`, [this.workerId]);
    await within(1_000, said).catch(() => undefined);
    // The lock goes with the connection; a sweeper sees that and puts back what may be left.
    await this.client.end().catch(() => undefined);
  }
}
