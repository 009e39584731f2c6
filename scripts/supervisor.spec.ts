import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestService } from '../test/support/service.js';
import { waitFor } from '../test/support/wait-for.js';
import { freePort } from './embedded/free-port.js';
import { commandLine, signal } from './embedded/process-list.js';
import { startService, type Service } from './supervisor.js';

describe('the supervisor', () => {
  let installation: TestService;
  let service: Service;
  const lines: string[] = [];

  beforeAll(async () => {
    installation = await TestService.start({ tools: 0, workers: [] });
    service = await startService({
      databaseUrl: installation.database.url,
      redisUrl: null,
      keyFile: installation.env['QUARTERMASTER_KEY_FILE'] ?? '',
      port: await freePort(),
      env: { QUARTERMASTER_ENVIRONMENT: 'test', LOG_LEVEL: 'warn' },
      onLine: (name, line) => lines.push(`${name}: ${line}`),
    });
  });
  afterAll(async () => {
    await service?.stop();
    await installation?.stop();
  });

  it('starts again what died, and says so', async () => {
    for (const child of service.children) {
      const { name, pid } = child;
      if (pid === undefined) throw new Error(`${name} doesn't run`);
      signal(pid, 'SIGKILL');
      await waitFor(`${name} runs again`, () => child.pid !== undefined && child.pid !== pid);
      expect(lines).toContain(`supervisor: ${name} ended (SIGKILL); it is restarted in 0.2 s`);
    }
    await waitFor('the API answers again', async () => (await fetch(`${service.baseUrl}/health/ready`)).ok, {
      withinMs: 15_000,
    });
  });

  it('refuses to wait for an API that can never start', async () => {
    const withoutKey = startService({
      databaseUrl: installation.database.url,
      redisUrl: null,
      keyFile: '/nonexistent/key',
      port: await freePort(),
    });
    await expect(withoutKey).rejects.toThrow(/refused to start/);
  });

  it('leaves no process behind when it stops', async () => {
    const pids = service.children.map(({ pid }) => pid ?? 0);
    expect(pids.map(commandLine).every((line) => line.includes('.main.js'))).toBe(true);
    await service.stop();
    expect(pids.map(commandLine)).toEqual(['', '', '']);
  });
});
