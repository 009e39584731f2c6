import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { Config } from '../../platform/config/config.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { inTransaction } from '../../platform/database/transaction.js';
import { SYSTEM } from '../../platform/sign-in/actor.js';

/** Milliseconds between two looks whether a round is due. */
const EVERY = 600_000;
/** Devices that are looked through at a time. */
const BATCH = 1_000;
/** Observations in one transaction: whatever has gathered, each ends well within the time that a statement may take. */
const MOST = 20_000;

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
  async thinIfDue(most = MOST): Promise<number> {
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
      let dropped: number;
      do {
        dropped = await inTransaction(this.db, (tx) => this.drop(tx, devices, due.keptFrom, most));
        total += dropped;
      } while (dropped === most);
      after = devices.at(-1) ?? null;
      if (devices.length < BATCH) return total;
    }
  }

  private async drop(tx: EntityManager, devices: readonly string[], keptFrom: Date, most: number): Promise<number> {
    const [dropped] = await queryRows<{ observations: number; devices: number }>(tx, DROP, [devices, keptFrom, most]);
    if (!dropped || dropped.observations === 0) return 0;
    await this.audit.record(tx, SYSTEM, 'observations.dropped', {
      facts: { ...dropped, keptFrom: keptFrom.toISOString() },
    });
    return dropped.observations;
  }
}

async function devicesAfter(tx: EntityManager, after: string | null): Promise<string[]> {
  const devices = await queryRows<{ id: string }>(
    tx,
    `SELECT d.id FROM devices d WHERE ($1::uuid IS NULL OR d.id > $1) ORDER BY d.id LIMIT $2`,
    [after, BATCH],
  );
  return devices.map(({ id }) => id);
}

/**
 * Of the device `d`: the lost ones and what replaced them keep everything, since an assessment asks what could be shown, and
 * how long it took. Asked in each statement that drops: one may be lost while others are being thinned.
 */
const WAS_NEVER_LOST = `NOT EXISTS (SELECT FROM losses l WHERE l.device_id = d.id)
  AND NOT EXISTS (SELECT FROM cases c WHERE c.device_id = d.id AND c.kind = 'lost_device')
  AND NOT EXISTS (SELECT FROM device_replacements r WHERE d.id IN (r.lost_device_id, r.replacement_device_id))`;

/** SQL: a later one than `o` of its device, kind and source that is from before the horizon, too. */
const later = (which: string): string => `
  SELECT FROM device_observations n WHERE n.device_id = o.device_id AND n.kind = o.kind AND n.source = o.source ${which}
    AND n.observed_at < $2 AND n.recorded_at < $2 AND (n.observed_at, n.id) > (o.observed_at, o.id) LIMIT 1`;

/** The limit within each device keeps PostgreSQL from reading all that there is of all of them first. */
const DROP = `
  WITH thinned AS MATERIALIZED (
    SELECT d.id FROM devices d WHERE d.id = ANY($1) AND ${WAS_NEVER_LOST}
  ), dropped AS (
    DELETE FROM device_observations WHERE id IN (
      SELECT old.id FROM thinned d CROSS JOIN LATERAL (
        SELECT o.id FROM device_observations o CROSS JOIN LATERAL (${later('')}) AS one
        WHERE o.device_id = d.id AND o.observed_at < $2 AND o.recorded_at < $2
          AND (o.kind <> 'disk_encryption' OR o.value = 'unknown' OR EXISTS (${later(`AND n.value <> 'unknown'`)}))
        LIMIT $3) AS old
      LIMIT $3)
    RETURNING device_id
  ), noted AS (
    INSERT INTO dropped_observations (device_id, kept_from) SELECT DISTINCT device_id, $2::timestamptz FROM dropped
    ON CONFLICT (device_id) DO UPDATE SET kept_from = EXCLUDED.kept_from
  )
  SELECT count(*)::int AS observations, count(DISTINCT device_id)::int AS devices FROM dropped`;
