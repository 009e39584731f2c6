import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';

/** Milliseconds between two looks whether a round is due. */
const EVERY = 600_000;
/** Devices in one transaction. */
const BATCH = 1_000;

/**
 * Drops old observations, once a day. What was known at any time since the horizon stays as it was: of each device, kind
 * and source the last one before the horizon is kept, and the last that answered. Of a device that was ever reported lost,
 * or that replaced one, all are kept.
 */
@Injectable()
export class ThinObservations {
  private notBefore = 0;

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    private readonly audit: AuditService,
  ) {}

  /** A worker's chore: returns at once until it is time again. */
  async thinNowAndThen(): Promise<void> {
    if (performance.now() < this.notBefore) return;
    this.notBefore = performance.now() + EVERY;
    await this.thinIfDue();
  }

  /** By one process, once a day; one that dies half-way leaves the rest for the next day. @returns how many were dropped */
  async thinIfDue(): Promise<number> {
    if (this.config.observationsKeptDays === 0) return 0;
    const [due] = await queryRows<{ keptFrom: Date }>(
      this.db,
      `UPDATE observation_retention SET next_at = now() + interval '1 day',
         kept_from = GREATEST(kept_from, date_trunc('milliseconds', now() - make_interval(days => $1)))
       WHERE next_at <= now() RETURNING kept_from AS "keptFrom"`,
      [this.config.observationsKeptDays],
    );
    if (!due) return 0;
    let total = 0;
    for (let after: string | null = null; ;) {
      const devices = await devicesAfter(this.db.manager, after);
      total += await inTransaction(this.db, (tx) => this.drop(tx, devices, due.keptFrom));
      after = devices.at(-1) ?? null;
      if (devices.length < BATCH) return total;
    }
  }

  private async drop(tx: EntityManager, devices: readonly string[], keptFrom: Date): Promise<number> {
    const [dropped] = await queryRows<{ observations: number; devices: number }>(tx, DROP, [devices, keptFrom]);
    if (!dropped || dropped.observations === 0) return 0;
    await this.audit.record(tx, SYSTEM, 'observations.dropped', {
      facts: { ...dropped, keptFrom: keptFrom.toISOString() },
    });
    return dropped.observations;
  }
}

/** The lost ones and what replaced them keep everything: an assessment asks what could be shown, and how long it took. */
async function devicesAfter(tx: EntityManager, after: string | null): Promise<string[]> {
  const devices = await queryRows<{ id: string }>(
    tx,
    `SELECT d.id FROM devices d WHERE ($1::uuid IS NULL OR d.id > $1)
       AND NOT EXISTS (SELECT FROM losses l WHERE l.device_id = d.id)
       AND NOT EXISTS (SELECT FROM cases c WHERE c.device_id = d.id AND c.kind = 'lost_device')
       AND NOT EXISTS (SELECT FROM device_replacements r WHERE d.id IN (r.lost_device_id, r.replacement_device_id))
     ORDER BY d.id LIMIT $2`,
    [after, BATCH],
  );
  return devices.map(({ id }) => id);
}

const DROP = `
  WITH old AS (
    SELECT id, kind = 'disk_encryption' AND value <> 'unknown' AS answers,
      row_number() OVER (PARTITION BY device_id, kind, source ORDER BY observed_at DESC, id DESC) AS place,
      row_number() OVER (PARTITION BY device_id, kind, source, value = 'unknown' ORDER BY observed_at DESC, id DESC) AS answer_place
    FROM device_observations WHERE device_id = ANY($1) AND GREATEST(observed_at, recorded_at) < $2
  ), dropped AS (
    DELETE FROM device_observations WHERE id IN (SELECT id FROM old WHERE place > 1 AND NOT (answers AND answer_place = 1))
    RETURNING device_id
  ), noted AS (
    INSERT INTO dropped_observations (device_id, kept_from) SELECT DISTINCT device_id, $2::timestamptz FROM dropped
    ON CONFLICT (device_id) DO UPDATE SET kept_from = EXCLUDED.kept_from
  )
  SELECT count(*)::int AS observations, count(DISTINCT device_id)::int AS devices FROM dropped`;
