import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { hasRedis } from '../support/redis.js';
import { TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

const QUESTION = '*1\r\n$4\r\ninfo\r\n';

/**
 * A line to Redis that holds back each connection's second `INFO`, breaks, and is refused for a
 * second: a Redis that restarts while BullMQ asks for its version. (The first `INFO` is ioredis'.)
 */
async function openFlickeringLine(redisUrl: string) {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  let state: 'whole' | 'breaking' | 'mended' = 'whole';
  const breakSoon = (): void => {
    state = 'breaking';
    setTimeout(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
      setTimeout(() => server.listen(port, '127.0.0.1', () => (state = 'mended')), 1_000);
    }, 300);
  };
  const server = createServer((client) => {
    const redis = connect(Number(target.port), target.hostname);
    let questions = 0;
    client.on('data', (chunk: Buffer) => {
      questions += chunk.toString('latin1').toLowerCase().split(QUESTION).length - 1;
      if (questions > 1 && state === 'whole') breakSoon();
      if (questions < 2 || state === 'mended') redis.write(chunk);
    });
    redis.on('data', (chunk) => client.write(chunk));
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        redis.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const through = new URL(redisUrl);
  through.port = String(port);
  return { url: through.href, isMended: () => state === 'mended', close: () => server.close() };
}

describe.skipIf(!hasRedis())('a worker whose Redis flickers while it starts', () => {
  let service: TestService | undefined;
  afterEach(() => service?.stop());

  it('works as soon as Redis is there again', { timeout: 120_000 }, async () => {
    service = await TestService.start({ redis: true, workers: [] });
    const line = await openFlickeringLine(service.redis?.url ?? '');
    await service.startWorker('standard,bulk', { env: { REDIS_URL: line.url } });
    await waitFor('the line broke, and is whole again', line.isMended);
    await service.join();
    expect(service.tools[0].acts('create')).toHaveLength(1);
    line.close();
  });
});
