import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { z } from 'zod';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import type { AlertDelivery } from './alert-delivery.entity.js';
import type { DeliveryView } from './alerting-views.js';

type Row = Pick<
  AlertDelivery,
  'action' | 'level' | 'state' | 'note' | 'attempts' | 'failure' | 'createdAt' | 'endedAt'
> & { channel: string };

/** What became of an alert's messages. */
@Injectable()
export class AlertDeliveriesReader {
  constructor(private readonly db: DataSource) {}

  /** The oldest first. @throws Problem `not-found` for an alert that isn't there */
  async ofAlert(alertId: string): Promise<z.infer<typeof DeliveryView>[]> {
    const found = await queryRows(this.db, `SELECT 1 FROM alerts WHERE id = $1`, [alertId]);
    if (found.length === 0) throw new Problem('not-found', 'There is no alert with this id.');
    const rows = await queryRows<Row>(
      this.db,
      `SELECT c.name AS channel, d.action, d.level, d.state, d.note, d.attempts, d.failure, d.created_at AS "createdAt",
         d.ended_at AS "endedAt"
       FROM alert_deliveries d JOIN alert_channels c ON c.id = d.channel_id
       WHERE d.alert_id = $1 ORDER BY d.created_at, d.action DESC, d.id`,
      [alertId],
    );
    return rows.map((row) => ({
      ...row,
      createdAt: row.createdAt.toISOString(),
      endedAt: row.endedAt?.toISOString() ?? null,
    }));
  }
}
