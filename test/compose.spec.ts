import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { cloneFolder } from '../scripts/embedded/places.js';
import { freePort } from '../scripts/embedded/free-port.js';
import { startProcess, type TestProcess } from './support/processes.js';
import { hasRedis } from './support/redis.js';
import { TestService } from './support/service.js';

const run = promisify(execFile);

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      command: z.array(z.string()).optional(),
      restart: z.string().optional(),
      environment: z.record(z.string(), z.string()).optional(),
      depends_on: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});
const { services } = Compose.parse(
  parse(readFileSync(join(cloneFolder(), 'docker-compose.yml'), 'utf8'), { merge: true }),
);
const commandOf = (name: string): readonly string[] => services[name]?.command ?? [];

const APIS = ['api-1', 'api-2'] as const;
const WORKERS = ['worker-1', 'worker-2', 'emergency'] as const;
type Name = (typeof APIS)[number] | (typeof WORKERS)[number];

/** Where there is no Docker: the compose file's own commands, as processes, on test servers. */
describe.skipIf(!hasRedis())('the compose file', () => {
  let service: TestService;
  let proxy: Server;
  const apiPorts: number[] = [];
  const running = new Map<Name, TestProcess>();

  beforeAll(async () => {
    service = await TestService.start({ redis: true, workers: [] });
    // The API that set everything up makes way for the proxy: from here on, its address leads to the compose file's two.
    const [installer] = service.processes;
    await installer?.kill();
    for (const _ of APIS) apiPorts.push(await freePort());
    await Promise.all([...APIS, ...WORKERS].map(start));
    proxy = await startProxy(Number(new URL(service.url).port), apiPorts);
  });
  afterAll(async () => {
    proxy?.close();
    await service?.stop();
  });

  function environmentOf(name: Name): Record<string, string | undefined> {
    // As Compose does where nothing is set on its machine: `${NAME:-default}`.
    const given = Object.fromEntries(
      Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [
        key,
        value.replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1'),
      ]),
    );
    const index = APIS.findIndex((api) => api === name);
    return {
      ...given,
      ...service.env,
      HOST: '127.0.0.1',
      PUBLIC_URL: undefined,
      LOG_LEVEL: 'warn',
      PORT: String(apiPorts[index] ?? 0),
      REDIS_URL: given['REDIS_URL_FILE'] === '/dev/null' ? undefined : service.env['REDIS_URL'],
    };
  }

  async function start(name: Name): Promise<void> {
    const [node, ...rest] = commandOf(name);
    expect(node).toBe('node');
    const position = rest.findIndex((word) => word.endsWith('.js'));
    const program = rest[position] ?? '';
    const child = startProcess({ program, args: rest.slice(position + 1), env: environmentOf(name) });
    service.processes.push(child);
    await child.waitForLine(/ready/, 30_000);
    running.set(name, child);
  }

  it('has two of everything that may die, and an emergency worker that knows no Redis', () => {
    expect(commandOf('api-1')).toEqual(commandOf('api-2'));
    expect(commandOf('worker-1')).toEqual(commandOf('worker-2'));
    expect(commandOf('worker-1').slice(-2)).toEqual(['--lanes', 'standard,bulk']);
    expect(commandOf('emergency').slice(-2)).toEqual(['--lanes', 'emergency']);
    expect(services['emergency']?.depends_on).not.toHaveProperty('redis');
    expect(environmentOf('emergency')['REDIS_URL']).toBeUndefined();
    for (const name of [...APIS, ...WORKERS]) expect(services[name]?.restart).toBe('unless-stopped');
  });

  it('runs Redis so that no job is evicted or forgotten', () => {
    expect(commandOf('redis').join(' ')).toMatch(/--appendonly yes --maxmemory-policy noeviction/);
  });

  it('prepares the database and the keys, and does no harm when it runs again', async () => {
    const [shell = '', ...args] = commandOf('migrate');
    const path = [dirname(process.execPath), process.env['PATH']].join(delimiter);
    const { stdout } = await run(shell, args, { cwd: cloneFolder(), env: { ...service.env, PATH: path } });
    expect(stdout).toMatch(/up to date[\s\S]*Nothing was changed/);
  });

  it('hands secrets to the programs from files', async () => {
    const file = join(inject('runFolder'), 'compose-secret');
    await writeFile(file, 'postgres://from-a-file');
    const { stdout } = await run(
      join(cloneFolder(), 'docker/with-secrets'),
      ['sh', '-c', 'echo "$DATABASE_URL|$REDIS_URL"'],
      {
        env: { PATH: process.env['PATH'], DATABASE_URL_FILE: file, REDIS_URL_FILE: '/dev/null' },
      },
    );
    expect(stdout.trim()).toBe('postgres://from-a-file|');
  });

  it.each([0, 1])('answers through either API server (%i)', async (index) => {
    const answer = await fetch(`http://127.0.0.1:${apiPorts[index]}/health/ready`);
    expect(answer.status).toBe(200);
  });

  it.each<Name>(['api-1', 'api-2', 'worker-1', 'worker-2'])('goes on without %s, and with it again', async (name) => {
    await running.get(name)?.kill('SIGKILL');

    const { personId } = await service.join();
    const deviceId = await service.giveLaptop(personId);
    const loss = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
    await service.untilClosed(loss.caseId);

    await start(name);
  });

  it('takes a loss that is reported while the emergency worker is dead, and cuts access once it is back', async () => {
    const { personId } = await service.join();
    const deviceId = await service.giveLaptop(personId);
    await running.get('emergency')?.kill('SIGKILL');

    const loss = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { deviceId });
    expect((await service.case(loss.caseId)).state).toBe('open');
    await start('emergency');

    await service.untilClosed(loss.caseId);
  });
});

/** What the compose file's proxy does, at its simplest: each connection goes to a server that accepts it, in turn. */
async function startProxy(port: number, backends: readonly number[]): Promise<Server> {
  let turn = 0;
  const server = createServer((client) => {
    const order = backends.map((_, index) => backends[(turn + index) % backends.length] ?? 0);
    turn += 1;
    const tryNext = (): void => {
      const backend = order.shift();
      if (backend === undefined) return void client.destroy();
      const upstream = connect(backend, '127.0.0.1', () => {
        upstream.off('error', tryNext);
        upstream.on('error', () => client.destroy());
        upstream.on('close', () => client.destroy());
        client.pipe(upstream).pipe(client);
      });
      upstream.once('error', tryNext);
      client.on('close', () => upstream.destroy());
    };
    client.on('error', () => client.destroy());
    tryNext();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect((server.address() as AddressInfo).port).toBe(port);
  return server;
}
