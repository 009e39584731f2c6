import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Measurements } from './measurements.service.js';
import { Readings } from './readings.service.js';

/** Everything that Prometheus is shown: what all processes counted, how things stand, and this process itself. */
@Injectable()
export class Exposition {
  private own: Registry | undefined;

  constructor(
    private readonly measurements: Measurements,
    private readonly readings: Readings,
  ) {}

  /** In Prometheus' text format, version 0.0.4. */
  async text(): Promise<string> {
    const [total, levels] = await Promise.all([this.measurements.total(), this.levels()]);
    return [await total.metrics(), await levels.metrics(), await this.process().metrics()].join('\n');
  }

  /** Watching the process costs a little, so it begins with the first who asks. */
  private process(): Registry {
    if (this.own) return this.own;
    this.own = new Registry();
    collectDefaultMetrics({ register: this.own });
    return this.own;
  }

  private async levels(): Promise<Registry> {
    const levels = await this.readings.levels();
    const registry = new Registry();
    for (const [name, help] of this.readings.help()) {
      const mine = levels.filter((reading) => reading.name === name);
      const labelNames = [...new Set(mine.flatMap(({ labels }) => Object.keys(labels)))];
      const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
      // Without labels a new gauge says 0, which nobody measured.
      if (mine.length === 0) gauge.remove();
      for (const { labels, value } of mine) gauge.set(labels, value);
    }
    return registry;
  }
}
