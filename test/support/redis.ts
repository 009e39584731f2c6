import { randomUUID } from 'node:crypto';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import { redisProgram, startRedis } from '../../scripts/embedded/redis.js';
import { PROCESS_RECORD } from './run-folder.js';

export interface TestRedis {
  url: string;
  pid: number;
  /** Forgets everything, as a Redis does that lost its memory. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

export function hasRedis(): boolean {
  return redisProgram() !== null;
}

/** A Redis of the caller's own, which it may empty, stop and kill: one starts in some 30 ms. */
export async function startTestRedis(): Promise<TestRedis> {
  const runFolder = inject('runFolder');
  const server = await startRedis({ dataFolder: join(runFolder, `redis-${randomUUID()}`) });
  if (!server) throw new Error("Redis isn't installed: apt-get install redis-server");
  await appendFile(join(runFolder, PROCESS_RECORD), `${server.pid} ${runFolder}\n`);
  return {
    url: server.url,
    pid: server.pid,
    stop: () => server.stop(),
    async empty() {
      const client = new Redis(server.url);
      await client.flushall();
      client.disconnect();
    },
  };
}
