import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { publications, unsealed } from '../platform/audit/log-reader.js';
import { Config } from '../platform/config/config.js';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';

/** Whether the audit log is sealed and published in time, for metrics. */
@Injectable()
export class PublicationReadings implements ReadingSource {
  readonly of = 'audit';
  readonly shows = {
    quartermaster_audit_unsealed_age_seconds: 'How long the oldest audit entry without a place in the log has waited.',
    quartermaster_audit_unpublished_age_seconds:
      'For how long there has been a checkpoint that isn’t published yet, by the place to publish to; 0 when all is.',
  };

  constructor(
    private readonly db: DataSource,
    private readonly config: Config,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const { oldest } = await unsealed(this.db.manager);
    const places = await publications(this.db.manager, this.config.auditPublishTo);
    return [
      { name: 'quartermaster_audit_unsealed_age_seconds', labels: {}, value: oldest },
      ...places.map(({ target, behindFor }): Reading => ({
        name: 'quartermaster_audit_unpublished_age_seconds',
        labels: { target },
        value: behindFor,
      })),
    ];
  }
}
