import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { IdempotencyKeys } from './idempotency-keys.service.js';

const HOUR = 3_600_000;

/** Forgets old Idempotency-Keys, each hour on each API server: twice does no harm. */
@Injectable()
export class IdempotencyHousekeeping implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly log: PinoLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.tidy(), HOUR).unref();
  }

  onApplicationShutdown(): void {
    if (this.timer) clearInterval(this.timer);
  }

  private async tidy(): Promise<void> {
    await this.keys
      .forgetOld()
      .catch((err: unknown) => this.log.warn({ err }, 'old Idempotency-Keys stay for another hour'));
  }
}
