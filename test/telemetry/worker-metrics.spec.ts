import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { left, TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

describe('what workers count', () => {
  let service: TestService;
  let token: string;
  beforeAll(async () => {
    service = await TestService.start();
    const scopes = ['--scopes', 'metrics:read', '--service', 'tests'];
    token = (await service.cli('token', 'create', '--name', 'prometheus', ...scopes)).trim();
  });
  afterAll(() => service?.stop());

  const value = async (series: string): Promise<number> => {
    const answer = await fetch(`${service.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const line = (await answer.text()).split('\n').find((one) => one.startsWith(`${series} `));
    return Number(line?.split(' ')[1] ?? 0);
  };

  it('is shown by an API server, and outlives the workers; one that was told to stop left, one that was killed died', async () => {
    expect(await value('quartermaster_workers{lane="standard"}')).toBe(1);
    expect(await value('quartermaster_event_to_revoked_seconds_count')).toBe(0);
    const { employee } = await service.join();
    const { body } = await service.hr.post(left(employee));
    await service.untilClosed(String(body['caseId']));
    const [, routine, urgent] = service.processes;
    await waitFor('the worker wrote what it counted', () => value('quartermaster_event_to_revoked_seconds_count'), {
      withinMs: 20_000,
      everyMs: 500,
    });
    await routine?.kill('SIGTERM');
    await urgent?.kill('SIGKILL');
    const done = 'quartermaster_step_outcomes_total{lane="emergency",tool="tool-0",state="done"}';
    const all = (await value(done)) + (await value(done.replace('emergency', 'standard')));
    expect(all).toBeGreaterThanOrEqual(3);
    expect(await value('quartermaster_event_to_revoked_seconds_count')).toBe(1);

    const workers = await service.rows<{ lanes: string[]; left: boolean }>(
      `SELECT lanes, left_at IS NOT NULL AS left FROM workers ORDER BY lanes DESC`,
    );
    expect(workers).toEqual([
      { lanes: ['standard', 'bulk'], left: true },
      { lanes: ['emergency'], left: false },
    ]);
    await waitFor('nobody is there', async () => (await value('quartermaster_workers{lane="emergency"}')) === 0, {
      withinMs: 25_000,
      everyMs: 500,
    });
    // Without any worker, an API server tells.
    await waitFor(
      'it is told',
      async () =>
        (
          await service.rows<{ kind: string }>(
            `SELECT kind FROM alerts WHERE resolved_at IS NULL AND dedup_key = 'lane_without_worker:emergency'`,
          )
        ).length === 1,
      { withinMs: 20_000, everyMs: 250 },
    );
  });
});
