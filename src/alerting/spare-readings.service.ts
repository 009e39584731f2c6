import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Replacements } from '../devices/spares/replacements.service.js';
import { Spares } from '../devices/spares/spares.service.js';
import { SYSTEM } from '../platform/sign-in/actor.js';
import { Readings, type Reading, type ReadingSource } from '../platform/telemetry/readings.service.js';

/** Milliseconds over which lead times are told: a quarter of a year. */
const RECENT = 90 * 24 * 60 * 60_000;

/** Spares and lead times, for metrics. */
@Injectable()
export class SpareReadings implements ReadingSource {
  readonly of = 'spares';
  readonly shows = {
    quartermaster_spares: 'Devices on the shelf that can be given, where a minimum is set, by model and site.',
    quartermaster_spares_short: 'How many are missing there.',
    quartermaster_replacement_lead_seconds:
      'From a loss to the first check-in of what replaced the device, over the losses of 90 days, by quantile.',
  };

  constructor(
    private readonly db: DataSource,
    private readonly spares: Spares,
    private readonly replacements: Replacements,
    readings: Readings,
  ) {
    readings.add(this);
  }

  async read(): Promise<Reading[]> {
    const shelves = (await this.spares.list(this.db.manager, {})).filter(({ minimum }) => minimum > 0);
    const since = new Date(Date.now() - RECENT);
    const { medianSeconds, p95Seconds } = await this.replacements.summary(this.db.manager, SYSTEM, since);
    return [
      ...shelves.flatMap(({ modelName, siteName, ready, short }): Reading[] => {
        const labels = { model: modelName, site: siteName ?? '' };
        return [
          { name: 'quartermaster_spares', labels, value: ready },
          { name: 'quartermaster_spares_short', labels, value: short },
        ];
      }),
      ...[['0.5', medianSeconds] as const, ['0.95', p95Seconds] as const].flatMap(([quantile, value]): Reading[] =>
        value === null ? [] : [{ name: 'quartermaster_replacement_lead_seconds', labels: { quantile }, value }],
      ),
    ];
  }
}
