import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { hasRedis } from '../../test/support/redis.js';
import { commandLine } from './process-list.js';
import { startRedis, type RedisServer } from './redis.js';

describe.skipIf(!hasRedis())('embedded Redis', () => {
  let dataFolder: string;
  let server: RedisServer | null = null;

  beforeEach(() => {
    dataFolder = join(inject('runFolder'), `redis-${randomUUID()}`);
  });
  afterEach(() => server?.stop());

  async function ask<T>(url: string, question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(url);
    // Without a listener, a refused password is printed.
    client.on('error', () => {});
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  async function start(appendOnly = false): Promise<RedisServer> {
    server = await startRedis({ dataFolder, appendOnly });
    if (!server) throw new Error('redis-server was there a moment ago');
    return server;
  }

  it('evicts nothing, since BullMQ would lose jobs', async () => {
    const { url } = await start();
    expect(await ask(url, (client) => client.config('GET', 'maxmemory-policy'))).toEqual([
      'maxmemory-policy',
      'noeviction',
    ]);
  });

  it('replaces one that a killed launcher left behind, and keeps what its append-only file holds', async () => {
    const first = await start(true);
    await ask(first.url, (client) => client.set('kept', 'yes'));

    const second = await start(true);

    expect(commandLine(first.pid)).toBe('');
    expect(await ask(second.url, (client) => client.get('kept'))).toBe('yes');
  });

  it('asks for a password', async () => {
    const { port } = await start();
    await expect(ask(`redis://127.0.0.1:${port}`, (client) => client.set('a', 'b'))).rejects.toThrow('NOAUTH');
  });
});

describe('without a Redis on the PATH', () => {
  const path = process.env['PATH'];
  afterEach(() => (process.env['PATH'] = path));

  it('answers null', async () => {
    process.env['PATH'] = '/nonexistent';
    expect(await startRedis({ dataFolder: join(inject('runFolder'), 'none') })).toBeNull();
  });
});
