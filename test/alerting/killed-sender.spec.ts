import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PagerDutyEmulator } from '../emulators/pagerduty/pagerduty-emulator.js';
import { TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

const ROUTING_KEY = 'canary0routing0key00000000000000';

describe('a process that is killed between sending an alert and noting it', () => {
  let service: TestService;
  let pagerduty: PagerDutyEmulator;
  beforeAll(async () => {
    pagerduty = await PagerDutyEmulator.start(ROUTING_KEY);
    service = await TestService.start({ workers: [] });
  });
  afterAll(async () => {
    await service?.stop();
    await pagerduty?.stop();
  });

  it('is made up for by another, with the same key, so that PagerDuty shows one incident', async () => {
    const token = await service.cli('token', 'create', '--name', 'a', '--scopes', 'alerts:write', '--service', 'tests');
    await fetch(`${service.url}/v1/alert-channels`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token.trim()}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        kind: 'pagerduty',
        name: 'oncall',
        secret: ROUTING_KEY,
        settings: { baseUrl: pagerduty.url, allowPrivateAddresses: true },
      }),
    }).then((answer) => expect(answer.status).toBe(201));
    pagerduty.next({ kind: 'swallow-answer' });
    await service.db.query(
      `INSERT INTO alerts (id, dedup_key, kind, severity, owner, message)
       VALUES (gen_random_uuid(), 'x', 'needs_human', 'critical', 'it', 'GitHub: no permission')`,
    );
    const [api] = service.processes;
    await waitFor('PagerDuty has it', () => pagerduty.events.length === 1);
    await api?.kill('SIGKILL');
    expect(pagerduty.events).toMatchObject([{ answered: 'nothing' }]);
    const ofX = () =>
      service.rows<{ state: string; attempts: number }>(
        `SELECT d.state, d.attempts FROM alert_deliveries d JOIN alerts a ON a.id = d.alert_id WHERE a.dedup_key = 'x'`,
      );
    expect(await ofX()).toEqual([{ state: 'waiting', attempts: 1 }]);

    // Its lease is over.
    await service.db.query(`UPDATE alert_deliveries SET leased_until = now() WHERE leased_until IS NOT NULL`);
    await service.startApi();
    await waitFor('it was sent again', async () => (await ofX())[0]?.state === 'sent', { withinMs: 15_000 });
    const mine = pagerduty.events.filter(({ dedupKey }) => dedupKey === pagerduty.events[0]?.dedupKey);
    expect(mine.map(({ answered }) => answered)).toEqual(['nothing', 202]);
    expect(pagerduty.all().filter(({ dedupKey }) => dedupKey === mine[0]?.dedupKey)).toMatchObject([
      { state: 'triggered', triggers: 2 },
    ]);
    expect(service.processes.map((one) => one.output()).join('')).not.toContain(ROUTING_KEY);
  });
});
