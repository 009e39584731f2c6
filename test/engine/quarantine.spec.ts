import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { LONE_CRASHES } from '../../src/cases/engine/after-worker.js';
import { Sweeper } from '../../src/cases/engine/sweep.js';
import { Hold } from '../../src/cases/hold.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { WorkerProcess } from '../../src/cases/worker-process.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

let service: ServiceApp;
beforeAll(async () => {
  service = await startServiceApp();
});
afterAll(() => service?.close());

const manager = () => service.db.manager;
const sweep = () => service.app.get(Sweeper).sweep();
const stateOf = async ({ id }: Step) => (await manager().findOneByOrFail(Step, { id })).state;
const poisoned = (with_: Partial<Step>) => aStep(manager(), { crashes: 5, loneCrashes: LONE_CRASHES, ...with_ });

/** Its worker is gone, and nobody knows how the call ended. */
async function leaveItsCallOpen({ id, personId, toolId }: Step, abandonedAgo: string): Promise<void> {
  const workerId = newId();
  await manager().insert(WorkerProcess, {
    id: workerId,
    lanes: ['standard'],
    host: 'a test',
    pid: 1,
    goneAt: new Date(),
  });
  await service.db.query(
    `INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline, abandoned_at)
     VALUES (gen_random_uuid(), $1, $2, $3, 1, 'act', 'grant', 1, $4, '{}', now(), now() - $5::interval)`,
    [id, personId, toolId, workerId, abandonedAgo],
  );
}

describe('a step that crashed its worker three times alone', () => {
  it.each([
    { act: 'suspend_account', state: 'ready' },
    { act: 'create_account', state: 'confirming' },
  ] as const)('is somebody’s from then on: $act, $state', async (with_) => {
    const step = await poisoned(with_);
    const innocent = await aStep(manager(), { ...with_, loneCrashes: LONE_CRASHES - 1 });
    await sweep();
    expect(await stateOf(step)).toBe('needs_human');
    expect(await stateOf(innocent)).toBe(with_.state);
  });

  it('is nobody’s task when it would give access that a leave has overtaken (I4)', async () => {
    const step = await poisoned({ act: 'create_account', state: 'confirming' });
    const { personId, caseId } = step;
    await manager().insert(Hold, { id: newId(), subject: 'person', personId, reason: 'leaver', caseId });
    await sweep();
    expect(await stateOf(step)).toBe('superseded');
    expect(await manager().countBy(Alert, { stepId: step.id })).toBe(0);
  });

  it('is only read back while its call may still land, so that nothing goes ahead beside it (I2)', async () => {
    const step = await poisoned({ act: 'create_account', state: 'confirming' });
    await leaveItsCallOpen(step, '1 second');
    await sweep();
    expect(await stateOf(step)).toBe('confirming');
    await service.db.query(`UPDATE attempts SET abandoned_at = now() - interval '1 minute' WHERE step_id = $1`, [
      step.id,
    ]);
    await sweep();
    expect(await stateOf(step)).toBe('needs_human');
  });
});
