import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';

/** Whether witnesses cosign in time, for metrics. */
@Injectable()
export class WitnessReadings implements ReadingSource {
  readonly of = 'witnesses';
  readonly shows = {
    quartermaster_audit_uncosigned_age_seconds:
      'For how long there has been a checkpoint that a witness hasn’t cosigned, by witness; 0 when all are.',
  };

  constructor(
    private readonly db: DataSource,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const witnesses = await queryRows<{ witness: string; value: number }>(
      this.db,
      `SELECT w.name AS witness, COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - missing.sealed_at), 0)::float8 AS value
       FROM audit_witnesses w LEFT JOIN LATERAL (
         SELECT sealed_at FROM audit_checkpoints c WHERE c.size > w.size ORDER BY c.size LIMIT 1
       ) missing ON true
       WHERE w.removed_at IS NULL ORDER BY w.name`,
    );
    return witnesses.map(({ witness, value }) => ({
      name: 'quartermaster_audit_uncosigned_age_seconds',
      labels: { witness },
      value,
    }));
  }
}
