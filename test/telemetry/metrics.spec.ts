import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StepMeasures } from '../../src/cases/engine/step-measures.service.js';
import { stepPhases } from '../../src/cases/engine/run-step.js';
import { leasesLost } from '../../src/cases/engine/sweep.js';
import { EngineHealth } from '../../src/cases/engine-health.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { loadConfig } from '../../src/platform/config/config.js';
import { Measurements } from '../../src/platform/telemetry/measurements.service.js';
import { Telemetry } from '../../src/platform/telemetry/telemetry.js';
import { anAccount } from '../factories/accounts.js';
import { aCase, aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';

describe('/metrics', () => {
  let test: ServiceApp;
  beforeAll(async () => {
    test = await startServiceApp();
  });
  afterAll(() => test?.close());

  const scrape = async () => oursOf((await (await test.caller('x', 'metrics:read')).get('/metrics').expect(200)).text);

  it('is for those who hold metrics:read', async () => {
    await test.stranger.get('/metrics').expect(401);
    await (await test.caller('x', 'people:read')).get('/metrics').expect(403);
    const answer = await (await test.caller('x', 'metrics:read')).get('/metrics').expect(200);
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.text).toContain('process_resident_memory_bytes');
  });

  it('counts what a run came to, what disagreed and what took how long, once, and adds up all processes', async () => {
    const tool = await aTool(test.db.manager, { key: 'github' });
    const revoked = async (kind: 'leaver' | 'lost_device', seconds: number) => {
      const { id: caseId } = await aCase(test.db.manager, {
        kind,
        lane: 'emergency',
        openedAt: new Date(Date.now() - 60_000),
      });
      const step = await aStep(test.db.manager, {
        caseId,
        toolId: tool.id,
        lane: 'emergency',
        state: 'done',
        fence: 7,
      });
      await test.db.query(
        `UPDATE steps SET confirmed_at = (SELECT opened_at FROM cases WHERE id = $2) + $3 * interval '1 second' WHERE id = $1`,
        [step.id, caseId, seconds],
      );
      return step.id;
    };
    const stepId = await revoked('lost_device', 3);
    const other = await revoked('leaver', 20);
    const worker = newId();
    await test.db.query(`INSERT INTO workers (id, lanes, host, pid) VALUES ($1, '{emergency}', 'h', 1)`, [worker]);
    await test.db.query(
      `INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline, outcome, finished_at)
       SELECT gen_random_uuid(), id, person_id, tool_id, 1, 'read_back', effect, 6, $2, '{}', now(), 'contradicted', now() FROM steps WHERE id = $1`,
      [stepId, worker],
    );

    const measures = test.app.get(StepMeasures, { strict: false });
    measures.start();
    // Its first run was contradicted; the second one ended it. Another worker's late word about the first adds nothing.
    stepPhases.publish({ phase: 'over', stepId, fence: 6 });
    stepPhases.publish({ phase: 'answered', stepId, fence: 7 });
    stepPhases.publish({ phase: 'over', stepId, fence: 7 });
    stepPhases.publish({ phase: 'over', stepId: other, fence: 7 });
    leasesLost.publish({ gone: 2, lapsed: 1 });
    await measures.stop();
    leasesLost.publish({ gone: 100, lapsed: 100 });
    await test.app.get(Measurements, { strict: false }).write('worker emergency');

    const text = await scrape();
    expect(text).toContain('quartermaster_step_outcomes_total{lane="emergency",tool="github",state="done"} 2');
    expect(text).toContain('quartermaster_read_backs_disagreed_total{tool="github"} 1');
    expect(text).toContain('quartermaster_leases_lost_total{cause="worker_gone"} 2');
    expect(text).toContain('quartermaster_leases_lost_total{cause="lapsed"} 1');
    expect(text).toContain('quartermaster_loss_to_confirmed_seconds_bucket{le="2"} 0');
    expect(text).toContain('quartermaster_loss_to_confirmed_seconds_bucket{le="5"} 1');
    expect(text).toContain('quartermaster_loss_to_confirmed_seconds_sum 3');
    expect(text).toContain('quartermaster_event_to_revoked_seconds_bucket{le="30"} 1');
  });

  it('forgets nothing when processes come and go, and keeps few rows for it', async () => {
    const counted = (value: number) => [
      {
        name: 'quartermaster_leases_lost_total',
        help: 'x',
        type: 'counter',
        aggregator: 'sum',
        values: [{ value, labels: { cause: 'lapsed' } }],
      },
    ];
    for (let index = 0; index < 25; index += 1) {
      await test.db.query(
        `INSERT INTO measurements (process_id, process, counted, written_at) VALUES ($1, 'gone', $2, now() - interval '1 hour')`,
        [newId(), JSON.stringify(counted(10))],
      );
    }
    const lapsed = async () =>
      /leases_lost_total\{cause="lapsed"\} (\d+)/.exec(
        await (await test.app.get(Measurements, { strict: false }).total()).metrics(),
      )?.[1];
    const before = await lapsed();
    expect(Number(before)).toBeGreaterThanOrEqual(250);
    expect(await lapsed()).toBe(before);
    const [rows] = await test.db.query<{ count: number }[]>(`SELECT count(*)::int AS count FROM measurements`);
    expect(rows?.count).toBeLessThan(5);
  });

  it('counts nothing twice for a process that was taken for gone', async () => {
    const config = loadConfig({ DATABASE_URL: 'postgres://db/x', QUARTERMASTER_KEY_FILE: 'none' });
    const telemetry = new Telemetry(config);
    const count = telemetry.counter({ name: 'quartermaster_frozen_total', help: 'x', labels: [] });
    const measurements = new Measurements(test.db, telemetry);
    const total = async () =>
      Number(/^quartermaster_frozen_total (\d+)$/m.exec(await (await measurements.total()).metrics())?.[1]);
    count({}, 5);
    await measurements.write('frozen');
    expect(await total()).toBe(5);
    // Frozen for so long that its row was folded into that of the gone, it wakes up and goes on.
    await test.db.query(`UPDATE measurements SET process_id = $1 WHERE process = 'frozen'`, [newId()]);
    count({}, 2);
    await measurements.write('frozen');
    expect(await total()).toBe(5);
    count({}, 3);
    await measurements.write('frozen');
    count({}, 1);
    await measurements.write('frozen');
    telemetry.onModuleDestroy();
    expect(await total()).toBe(9);
  });
});

describe('the levels', () => {
  let test: ServiceApp;
  beforeAll(async () => {
    test = await startServiceApp();
  });
  afterAll(() => test?.close());

  it('show steps, the oldest due one, tools, workers and alerts as PostgreSQL has them', async () => {
    const busy = await aTool(test.db.manager, { key: 'busy' });
    const paused = await aTool(test.db.manager, { key: 'paused', state: 'paused' });
    const { id: caseId, personId } = await aCase(test.db.manager);
    const { id: accountId } = await anAccount(test.db.manager, { personId, toolId: busy.id });
    const before = (seconds: number) => new Date(Date.now() - seconds * 1_000);
    await aStep(test.db.manager, { caseId, toolId: busy.id, accountId, dueAt: before(100) });
    await aStep(test.db.manager, { caseId, toolId: busy.id, accountId, dueAt: before(10) });
    await aStep(test.db.manager, { caseId, toolId: busy.id, accountId, state: 'done' });
    await aStep(test.db.manager, { caseId, toolId: paused.id, dueAt: before(5_000) });
    await test.db.query(
      `INSERT INTO alerts (id, dedup_key, kind, severity, owner, message) VALUES (gen_random_uuid(), 'x', 'needs_human', 'error', 'it', 'x')`,
    );
    const text = oursOf((await (await test.caller('x', 'metrics:read')).get('/metrics').expect(200)).text);
    const value = (series: string) => Number(text.find((line) => line.startsWith(`${series} `))?.split(' ')[1]);
    expect(value('quartermaster_steps{lane="standard",state="ready",tool="busy"}')).toBe(2);
    expect(text.join('\n')).not.toMatch(/quartermaster_steps\{.*done/);
    const age = (state: string) =>
      value(`quartermaster_oldest_due_step_age_seconds{lane="standard",tool_state="${state}"}`);
    expect(age('active')).toBeGreaterThan(99);
    expect(age('active')).toBeLessThan(200);
    expect(age('paused')).toBeGreaterThan(4_999);
    expect(value('quartermaster_oldest_due_step_age_seconds{lane="emergency",tool_state="active"}')).toBe(0);
    expect(value('quartermaster_tool_state{tool="paused",state="paused"}')).toBe(1);
    expect(value('quartermaster_tool_state{tool="paused",state="active"}')).toBe(0);
    expect(value('quartermaster_workers{lane="bulk"}')).toBe(0);
    expect(value('quartermaster_alerts_open{kind="needs_human",severity="error"}')).toBe(1);
    expect(value('quartermaster_readings_age_seconds{of="steps"}')).toBeLessThan(10);
  });

  it('are read without going through the steps that are over', async () => {
    const tool = await aTool(test.db.manager, { key: 'long-used' });
    const { personId } = await aCase(test.db.manager);
    await test.db.query(
      `WITH past AS (
         INSERT INTO cases (id, kind, person_id, lane, generation, opened_by)
         SELECT gen_random_uuid(), 'leaver', $1, 'standard', 1, 'a test' FROM generate_series(1, 5000) RETURNING id)
       INSERT INTO steps (id, case_id, person_id, tool_id, act, effect, state, lane, position, generation, confirmed_at, ended_at)
       SELECT gen_random_uuid(), past.id, $1, $2, 'discover', 'look', 'done', 'standard', n, 1, now(), now()
       FROM past, generate_series(1, 10) n`,
      [personId, tool.id],
    );
    await test.db.query(`UPDATE cases SET state = 'closed', closed_at = now() WHERE opened_by = 'a test' AND id IN (
      SELECT case_id FROM steps GROUP BY 1 HAVING bool_and(state = 'done'))`);
    await test.db.query(`VACUUM ANALYZE steps`);
    await test.db.query(`ANALYZE cases`);
    const health = test.app.get(EngineHealth, { strict: false });
    const plans: string[] = [];
    const explaining = new Proxy(test.db, {
      get: (db, name) =>
        name === 'query'
          ? async (sql: string, parameters: unknown[]) => {
              const rows = await db.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${sql}`, parameters);
              plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
              return [];
            }
          : Reflect.get(db, name),
    });
    const explained = new EngineHealth(explaining);
    await explained.unfinishedSteps();
    await explained.oldestDue();
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(plan).not.toContain('Seq Scan on steps');
    expect(await health.unfinishedSteps()).toEqual(
      expect.arrayContaining([{ tool: 'busy', lane: 'standard', state: 'ready', steps: 2 }]),
    );
  });
});

/** Without the comments, and without what every Node process shows. */
function oursOf(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('quartermaster_'));
}
