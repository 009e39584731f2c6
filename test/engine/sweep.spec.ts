import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AlertsService } from '../../src/cases/alerts.service.js';
import { Attempt } from '../../src/cases/attempt.entity.js';
import { Settlement } from '../../src/cases/engine/settle.js';
import { Sweeper } from '../../src/cases/engine/sweep.js';
import { Step } from '../../src/cases/step.entity.js';
import { createDataSource } from '../../src/data-source.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aStep, casesServiceOn } from '../factories/cases.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

/**
 * A worker that loops holds no lease for long: the watchdog ends it after ten seconds, and a revocation's lease lapses
 * after three.
 */
describe('a worker that died over a step after its lease had lapsed', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof createDataSource>;
  let sweeper: Sweeper;
  let step: Step;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await createDataSource({ url: database.url, applicationName: 'sweep', poolSize: 2 }).initialize();
    const audit = new AuditService();
    const alerts = new AlertsService();
    sweeper = new Sweeper(db, new Settlement(casesServiceOn(db), alerts, audit), alerts);
  });
  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });
  beforeEach(async () => {
    step = await aStep(db.manager, { state: 'ready' });
  });

  /** It holds no presence lock any more, and began an attempt that it never ended; `outcome` when it did. */
  async function deadWorkerOn({ id, personId, toolId, effect }: Step, outcome: Attempt['outcome'] = null) {
    const workerId = newId();
    await db.query(`INSERT INTO workers (id, lanes, host, pid) VALUES ($1, '{standard}', 'h', 1)`, [workerId]);
    const number = (await db.manager.countBy(Attempt, { stepId: id })) + 1;
    await db.manager.insert(Attempt, {
      id: newId(),
      stepId: id,
      personId,
      toolId,
      number,
      kind: 'act',
      effect,
      fence: number,
      workerId,
      intent: {} as object,
      callDeadline: new Date(),
      outcome,
      finishedAt: outcome === null ? null : new Date(),
    });
    return workerId;
  }

  const seen = () => db.manager.findOneByOrFail(Step, { id: step.id });

  it('counts against the step, which is quarantined after two deaths and three alone, with an owner and an alert', async () => {
    for (let deaths = 1; deaths <= 4; deaths += 1) {
      await deadWorkerOn(step);
      await sweeper.sweep();
      expect(await seen()).toMatchObject({
        state: 'ready',
        crashes: deaths,
        loneCrashes: Math.max(0, deaths - 2),
      });
    }
    await deadWorkerOn(step);
    await sweeper.sweep();
    expect(await seen()).toMatchObject({ state: 'needs_human', crashes: 5, loneCrashes: 3 });
    expect((await seen()).owner).not.toBe('');
    expect(await db.query(`SELECT kind FROM alerts WHERE step_id = $1`, [step.id])).toEqual([{ kind: 'needs_human' }]);
  });

  it('counts once, also while somebody else holds the step, who keeps it', async () => {
    const holder = newId();
    await db.manager.update(Step, step.id, {
      state: 'running',
      leaseOwner: holder,
      leaseUntil: new Date(Date.now() + 3_600_000),
    });
    await deadWorkerOn(step);
    await sweeper.sweep();
    await sweeper.sweep();
    expect(await seen()).toMatchObject({ state: 'running', leaseOwner: holder, crashes: 1 });
  });

  it('counts neither against a step that has ended since, nor against one whose attempt it had ended', async () => {
    await deadWorkerOn(step, 'failed');
    const ended = await aStep(db.manager, { state: 'done' });
    await deadWorkerOn(ended);
    await sweeper.sweep();
    expect(await seen()).toMatchObject({ state: 'ready', crashes: 0 });
    expect(await db.manager.findOneByOrFail(Step, { id: ended.id })).toMatchObject({ state: 'done', crashes: 0 });
  });

  it('is convicted in the same sweep that takes its lapsed lease back, so that nobody claims it in between', async () => {
    await db.manager.update(Step, step.id, { crashes: 4, loneCrashes: 3 });
    await db.manager.update(Step, step.id, {
      state: 'running',
      leaseOwner: newId(),
      leaseUntil: new Date(Date.now() - 3_600_000),
    });
    await sweeper.sweep();
    expect(await seen()).toMatchObject({ state: 'needs_human' });
  });
});
