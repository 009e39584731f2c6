import { Injectable } from '@nestjs/common';
import { AggregatorRegistry, type Registry } from 'prom-client';
import { DataSource } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import { newId } from '../ids/new-id.js';
import { Counted, Telemetry } from './telemetry.js';

/** Milliseconds. What a killed process counted since it last wrote is lost: so much, at most. */
const WRITE_EVERY = 5_000;
/** A process writes this often, in milliseconds, also when nothing happened, so that it isn't taken for gone. */
const SIGN_OF_LIFE = 60_000;
/** Rows of processes that are gone are folded into one when there are so many of them. */
const MANY_ROWS = 20;
const PAST = '00000000-0000-0000-0000-000000000000';
/** Any fixed number: held while rows are folded. */
const FOLD_LOCK = 7_154_882_030;

/**
 * Keeps what every process counted in PostgreSQL, one row a process, and adds it up: whoever is asked for metrics
 * answers for all, and a restart forgets nothing.
 */
@Injectable()
export class Measurements {
  private processId = newId();
  private writtenText: string | undefined;
  private writtenAt = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: DataSource,
    private readonly telemetry: Telemetry,
  ) {}

  /** @param processName As in `worker standard+bulk`, for people who look into the table. */
  start(processName: string): void {
    // The next one writes what a failed one couldn't: the figures are sums.
    this.timer = setInterval(() => void this.write(processName).catch(() => undefined), WRITE_EVERY);
    this.timer.unref();
  }

  /** Writes a last time; for a process that ends, so it doesn't fail when the database is away. */
  async stop(processName: string): Promise<void> {
    clearInterval(this.timer);
    await this.write(processName).catch(() => undefined);
  }

  async write(processName: string): Promise<void> {
    const text = JSON.stringify(await this.telemetry.counted());
    if (text === this.writtenText && performance.now() - this.writtenAt < SIGN_OF_LIFE) return;
    const updated = await queryRows(
      this.db,
      `UPDATE measurements SET counted = $2, written_at = now() WHERE process_id = $1 RETURNING process_id`,
      [this.processId, text],
    );
    if (updated.length === 0) {
      // We were taken for gone and folded, so what we wrote counts already: from here we start at nothing. What came since
      // we last wrote is lost, as it is when a process is killed.
      if (this.writtenText !== undefined) {
        this.telemetry.startOver();
        this.processId = newId();
        this.writtenText = undefined;
        return;
      }
      await this.db.query(`INSERT INTO measurements (process_id, process, counted) VALUES ($1, $2, $3)`, [
        this.processId,
        processName,
        text,
      ]);
    }
    this.writtenText = text;
    this.writtenAt = performance.now();
  }

  /** Everything that was ever counted, by all processes together. */
  async total(): Promise<Registry> {
    const rows = await queryRows<{ counted: unknown; gone: boolean }>(
      this.db,
      `SELECT counted, written_at < now() - interval '10 minutes' AS gone FROM measurements`,
    );
    if (rows.filter(({ gone }) => gone).length >= MANY_ROWS) await this.fold();
    return sum(rows.map(({ counted }) => Counted.parse(counted)));
  }

  private async fold(): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [lock] = await queryRows<{ mine: boolean }>(tx, `SELECT pg_try_advisory_xact_lock($1) AS mine`, [
        FOLD_LOCK,
      ]);
      if (!lock?.mine) return;
      const rows = await queryRows<{ counted: unknown }>(
        tx,
        `DELETE FROM measurements WHERE written_at < now() - interval '10 minutes' OR process_id = $1 RETURNING counted`,
        [PAST],
      );
      const past = await sum(rows.map(({ counted }) => Counted.parse(counted))).getMetricsAsJSON();
      await tx.query(
        `INSERT INTO measurements (process_id, process, counted, written_at) VALUES ($1, 'processes that are gone', $2, 'infinity')`,
        [PAST, JSON.stringify(past)],
      );
    });
  }
}

function sum(all: readonly Counted[]): Registry {
  return AggregatorRegistry.aggregate([...all]);
}
