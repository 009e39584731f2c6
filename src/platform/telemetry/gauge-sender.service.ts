import { Injectable } from '@nestjs/common';
import { Readings } from './readings.service.js';
import type { StatsDLine } from './statsd.js';
import { Telemetry } from './telemetry.js';

const EVERY_MS = 10_000;

/** Sends the levels to a StatsD, where one is set up. An API server does it; several send the same, which does no harm. */
@Injectable()
export class GaugeSender {
  private timer: NodeJS.Timeout | undefined;
  private sent = new Map<string, Omit<StatsDLine, 'type'>>();

  constructor(
    private readonly telemetry: Telemetry,
    private readonly readings: Readings,
  ) {}

  start(): void {
    if (!this.telemetry.hasStatsD) return;
    this.timer = setInterval(() => void this.send().catch(() => undefined), EVERY_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async send(): Promise<void> {
    const now = new Map<string, Omit<StatsDLine, 'type'>>();
    for (const { name, labels, value } of await this.readings.levels()) {
      now.set(`${name} ${JSON.stringify(labels)}`, { name, labels, value });
    }
    // A StatsD keeps a gauge's last level for ever: what is gone is told as 0, once.
    const gone = [...this.sent].filter(([key]) => !now.has(key)).map(([, line]) => ({ ...line, value: 0 }));
    this.telemetry.sendGauges([...now.values(), ...gone]);
    this.sent = now;
  }
}
