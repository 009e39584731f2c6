import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';

/** The outbox's levels for metrics. */
@Injectable()
export class DeliveryReadings implements ReadingSource {
  readonly of = 'alerts';
  readonly shows = {
    quartermaster_alert_deliveries_waiting: 'Messages that wait to be sent, by alert channel.',
    quartermaster_oldest_alert_delivery_age_seconds: 'How long the oldest of them has waited, by alert channel.',
  };

  constructor(
    private readonly db: DataSource,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const rows = await queryRows<{ channel: string; waiting: number; age: number }>(
      this.db,
      `SELECT c.name AS channel, count(d.id)::int AS waiting,
         COALESCE(EXTRACT(EPOCH FROM now() - min(d.created_at)), 0)::float8 AS age
       FROM alert_channels c LEFT JOIN alert_deliveries d ON d.channel_id = c.id AND d.state = 'waiting'
       WHERE c.removed_at IS NULL GROUP BY c.id`,
    );
    return rows.flatMap(({ channel, waiting, age }) => [
      { name: 'quartermaster_alert_deliveries_waiting', labels: { channel }, value: waiting } as const,
      { name: 'quartermaster_oldest_alert_delivery_age_seconds', labels: { channel }, value: age } as const,
    ]);
  }
}
