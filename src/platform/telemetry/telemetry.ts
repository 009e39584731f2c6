import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';
import { z } from 'zod';
import { Config } from '../config/config.js';
import { StatsD, type Labels, type StatsDLine } from './statsd.js';

/** What a process counted, as prom-client writes and adds it up (`Registry.getMetricsAsJSON`). */
export const Counted = z.array(
  z.looseObject({
    name: z.string(),
    help: z.string(),
    type: z.string(),
    aggregator: z.literal('sum'),
    values: z.array(
      z.looseObject({
        value: z.number(),
        labels: z.record(z.string(), z.union([z.string(), z.number()])),
        metricName: z.string().optional(),
      }),
    ),
  }),
);
export type Counted = z.infer<typeof Counted>;

interface MetricName {
  name: `quartermaster_${string}`;
  help: string;
  labels: readonly string[];
}

/** What this process counts itself; each count also goes to a StatsD, where one is set up. */
@Injectable()
export class Telemetry implements OnModuleDestroy {
  private readonly registry = new Registry();
  private readonly statsd: StatsD | null;

  constructor(config: Config) {
    this.statsd = config.statsdUrl ? new StatsD(config.statsdUrl) : null;
  }

  get hasStatsD(): boolean {
    return this.statsd !== null;
  }

  /** Declared once, by its owner; the name ends in `_total`. */
  counter({ name, help, labels }: MetricName): (labels: Labels, by?: number) => void {
    const counter = new Counter({ name, help, labelNames: labels, registers: [this.registry] });
    return (values, by = 1) => {
      counter.inc(values, by);
      this.statsd?.send([{ name, labels: values, value: by, type: 'c' }]);
    };
  }

  /** Declared once, by its owner; the name ends in `_seconds`. */
  timer({ name, help, labels }: MetricName, buckets: readonly number[]): (labels: Labels, seconds: number) => void {
    const histogram = new Histogram({
      name,
      help,
      labelNames: labels,
      buckets: [...buckets],
      registers: [this.registry],
    });
    return (values, seconds) => {
      histogram.observe(values, seconds);
      const plainName = name.replace(/_seconds$/, '');
      this.statsd?.send([{ name: plainName, labels: values, value: Math.round(seconds * 1000), type: 'ms' }]);
    };
  }

  /** Levels go to the StatsD alone: they are PostgreSQL's to know, and no process's own. */
  sendGauges(lines: readonly Omit<StatsDLine, 'type'>[]): void {
    this.statsd?.send(lines.map((line) => ({ ...line, type: 'g' })));
  }

  async counted(): Promise<Counted> {
    return Counted.parse(await this.registry.getMetricsAsJSON());
  }

  /** Starts from nothing again: what was counted stands elsewhere. */
  startOver(): void {
    this.registry.resetMetrics();
  }

  onModuleDestroy(): void {
    this.statsd?.close();
  }
}
