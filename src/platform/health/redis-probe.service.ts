import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Redis } from 'ioredis';
import { Config } from '../config/config.js';
import { within } from '../lifecycle/within.js';

export type RedisState = 'up' | 'down' | 'not-configured';

const DEADLINE_MS = 500;

/** Asks Redis whether it answers, on a connection of its own that comes into being with the first question. */
@Injectable()
export class RedisProbe implements OnModuleDestroy {
  private client: Redis | null = null;

  constructor(private readonly config: Config) {}

  async state(): Promise<RedisState> {
    if (!this.config.redisUrl) return 'not-configured';
    const client = (this.client ??= connect(this.config.redisUrl));
    return within(DEADLINE_MS, client.ping()).then(
      () => 'up',
      () => 'down',
    );
  }

  onModuleDestroy(): void {
    this.client?.disconnect();
  }
}

function connect(url: string): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 0, connectTimeout: DEADLINE_MS });
  // Without a listener each lost connection is printed; the next question finds it out anyway.
  client.on('error', () => undefined);
  return client;
}
