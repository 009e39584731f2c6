import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EngineWatch } from '../../src/alerting/engine-watch.service.js';
import { PolicyAlarm } from '../../src/alerting/policy-alarm.service.js';
import { AlertsService } from '../../src/cases/alerts.service.js';
import { EngineHealth } from '../../src/cases/engine-health.service.js';
import { WorkerPresence } from '../../src/cases/engine/presence.js';
import type { Lane } from '../../src/cases/step-states.js';
import { Sweeper } from '../../src/cases/engine/sweep.js';
import { aCase, aStep } from '../factories/cases.js';
import { waitFor } from '../support/wait-for.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

const SECOND = 1_000;

describe('the watch over the engine', () => {
  let test: ServiceApp;
  let watch: EngineWatch;
  let health: EngineHealth;
  beforeAll(async () => {
    test = await startServiceApp();
  });
  afterAll(() => test?.close());
  beforeEach(async () => {
    health = test.app.get(EngineHealth, { strict: false });
    // Each its own memory of since when.
    const alerts = test.app.get(AlertsService, { strict: false });
    watch = new EngineWatch(test.db, health, alerts);
    await test.db.query(`DELETE FROM alerts`);
  });

  const open = async () =>
    (
      await test.db.query<{ key: string }[]>(
        `SELECT dedup_key AS key FROM alerts WHERE resolved_at IS NULL ORDER BY dedup_key`,
      )
    ).map(({ key }) => key);
  const present = async (...lanes: Lane[]) => {
    const worker = new WorkerPresence({
      databaseUrl: test.database.url,
      lanes,
      onWake: () => undefined,
      onLost: () => undefined,
    });
    await worker.announce();
    return worker;
  };

  it('tells of a lane that no worker serves, after ten seconds, and when one does again', async () => {
    await watch.look(0);
    await watch.look(9 * SECOND);
    expect(await open()).toEqual([]);
    const routine = await present('standard', 'bulk');
    await watch.look(11 * SECOND);
    expect(await open()).toEqual(['lane_without_worker:emergency']);
    const urgent = await present('emergency');
    await watch.look(12 * SECOND);
    expect(await open()).toEqual([]);
    await routine.leave();
    await urgent.leave();
    await waitFor('their locks are free', async () =>
      [...(await health.workersByLane()).values()].every((workers) => workers === 0),
    );
    await watch.look(13 * SECOND);
    await watch.look(24 * SECOND);
    expect(await open()).toEqual([
      'lane_without_worker:bulk',
      'lane_without_worker:emergency',
      'lane_without_worker:standard',
    ]);
  });

  it('tells of a worker that is gone without a word, until another takes its place; not of one that left', async () => {
    const left = await present('emergency');
    await left.leave();
    const dead = await present('emergency');
    // Its lock goes, as with a process that is killed; nothing is said.
    await test.db.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'quartermaster presence' AND datname = current_database()`,
    );
    await waitFor('it is known to be gone', async () => {
      await test.app.get(Sweeper, { strict: false }).sweep();
      const [row] = await test.db.query<{ gone: boolean }[]>(
        `SELECT gone_at IS NOT NULL AS gone FROM workers WHERE id = $1`,
        [dead.workerId],
      );
      return row?.gone;
    });
    await watch.look();
    expect(await open()).toEqual([]);
    await test.db.query(
      `UPDATE workers SET gone_at = gone_at - interval '11 seconds', seen_at = seen_at - interval '11 seconds'`,
    );
    await watch.look();
    expect(await open()).toEqual([`worker_died:${dead.workerId}`]);
    const next = await present('emergency');
    await watch.look();
    expect(await open()).toEqual([]);
    await next.leave();
  });

  it('tells that the emergency lane is late after five seconds, where, and when it has caught up', async () => {
    const step = await aStep(test.db.manager, {
      caseId: (await aCase(test.db.manager, { lane: 'emergency' })).id,
      lane: 'emergency',
      state: 'ready',
    });
    const dueFor = (seconds: number) =>
      test.db.query(`UPDATE steps SET due_at = now() - $2 * interval '1 second' WHERE id = $1`, [step.id, seconds]);
    await dueFor(4);
    await watch.look();
    expect(await open()).toEqual([]);
    await dueFor(6);
    await watch.look();
    await watch.look();
    expect(await open()).toEqual(['emergency_lane_late']);
    await dueFor(3);
    await watch.look();
    expect(await open()).toEqual(['emergency_lane_late']);
    await dueFor(-60);
    await watch.look();
    expect(await open()).toEqual([]);
  });

  it('a policy that was refused is told with its first mistake, until one is taken', async () => {
    const alarm = test.app.get(PolicyAlarm);
    await alarm.tell(
      {
        outcome: 'refused',
        mistakes: [
          { line: 4, column: 1, message: 'There is no tool “githup”.' },
          { line: 9, column: 1, message: 'x' },
        ],
      },
      '/etc/access-policy.yaml',
    );
    const [alert] = await test.db.query<{ message: string }[]>(
      `SELECT message FROM alerts WHERE kind = 'policy_broken'`,
    );
    expect(alert?.message).toBe(
      'The access policy /etc/access-policy.yaml was refused and the one before still counts. Line 4: There is no tool “githup”. And 1 more.',
    );
    await alarm.tell({ outcome: 'no-file' }, undefined);
    expect(await open()).toEqual([]);
  });
});
