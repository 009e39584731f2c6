import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Case } from '../../src/cases/case.entity.js';
import { FINISHED, STEP_ACTS, STEP_STATES, STEP_TRANSITIONS, type StepState } from '../../src/cases/step-states.js';
import { Step } from '../../src/cases/step.entity.js';
import { createDataSource } from '../../src/data-source.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { aCase, aStep } from '../factories/cases.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let db: ReturnType<typeof createDataSource>;
let tx: EntityManager;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await createDataSource({ url: database.url, applicationName: 'test', poolSize: 2 }).initialize();
  tx = db.manager;
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

/** Everything that any state asks for, so that nothing but the move itself can be refused. */
async function move(step: Step, to: StepState): Promise<void> {
  const leased = to === 'running';
  await tx.query(
    `UPDATE steps SET state = $2, lease_owner = $3, lease_until = $4, confirmed_at = now(), owner = 'Grace',
       deadline = now(), reason = 'because' WHERE id = $1`,
    [step.id, to, leased ? newId() : null, leased ? new Date() : null],
  );
}

const stateOf = async ({ id }: Step): Promise<StepState> => (await tx.findOneByOrFail(Step, { id })).state;

describe('the database lets a step move', () => {
  const pairs = STEP_STATES.flatMap((from) => STEP_STATES.filter((to) => to !== from).map((to) => ({ from, to })));

  it('exactly as the transition table says, for every pair of states', async () => {
    const moved = new Set<string>();
    const caseId = (await aCase(tx)).id;
    for (const { from, to } of pairs) {
      // A grant: a revocation is held to one rule more.
      const step = await aStep(tx, { caseId, act: 'grant', state: from });
      expect(await stateOf(step)).toBe(from);
      const refusal = await move(step, to).then(
        () => null,
        (error: unknown) => String(error),
      );
      if (refusal === null) moved.add(`${from} > ${to}`);
      else expect(refusal).toContain(`a step never goes from ${from} to ${to}`);
      expect(await stateOf(step)).toBe(refusal === null ? to : from);
    }
    const allowed = STEP_STATES.flatMap((from) => STEP_TRANSITIONS[from].map((to) => `${from} > ${to}`));
    expect([...moved].toSorted()).toEqual(allowed.toSorted());
  });

  it('within its state as often as it likes: a claim of a confirming step changes no state', async () => {
    const step = await aStep(tx, { state: 'confirming' });
    await tx.query(`UPDATE steps SET state = 'confirming', lease_owner = $2, lease_until = now() WHERE id = $1`, [
      step.id,
      newId(),
    ]);
    expect(await stateOf(step)).toBe('confirming');
  });
});

describe('the database refuses', () => {
  it('a superseded revocation, from every state and from the start; grants and looks may be superseded', async () => {
    const caseId = (await aCase(tx)).id;
    const from = STEP_STATES.filter((state) => (STEP_TRANSITIONS[state] as readonly string[]).includes('superseded'));
    expect(from.length).toBeGreaterThan(0);
    for (const act of STEP_ACTS) {
      for (const state of from) {
        const step = await aStep(tx, { caseId, act, state });
        if (step.effect === 'revoke') {
          await expect(move(step, 'superseded')).rejects.toThrow('ck_steps_revocation_stays');
          expect(await stateOf(step)).toBe(state);
        } else {
          await move(step, 'superseded');
          expect(await stateOf(step)).toBe('superseded');
        }
      }
    }
    await expect(aStep(tx, { caseId, act: 'withdraw', state: 'superseded' })).rejects.toThrow(
      'ck_steps_revocation_stays',
    );
  });

  it('an effect that is not the one of the act: a revocation can not pass for a grant', async () => {
    const step = await aStep(tx, { act: 'suspend_account' });
    await expect(tx.update(Step, { id: step.id }, { effect: 'grant' })).rejects.toThrow('ck_steps_effect');
    await expect(aStep(tx, { act: 'create_account', effect: 'revoke' })).rejects.toThrow('ck_steps_effect');
  });

  it('a running step without a lease, and a lease without an end', async () => {
    const step = await aStep(tx);
    const leaseOwner = newId();
    await expect(tx.update(Step, { id: step.id }, { state: 'running' })).rejects.toThrow('ck_steps_leased_state');
    await expect(tx.update(Step, { id: step.id }, { state: 'running', leaseOwner })).rejects.toThrow('ck_steps_lease"');
    expect(await stateOf(step)).toBe('ready');
    await tx.update(Step, { id: step.id }, { state: 'running', leaseOwner, leaseUntil: new Date() });
    expect(await stateOf(step)).toBe('running');
  });

  it.each(STEP_STATES.filter((state) => state !== 'running' && state !== 'confirming'))(
    'a lease on a step that is %s',
    async (state) => {
      const step = await aStep(tx, { act: 'grant', state });
      const lease = { leaseOwner: newId(), leaseUntil: new Date() };
      await expect(tx.update(Step, { id: step.id }, lease)).rejects.toThrow('ck_steps_leased_state');
    },
  );

  it('an end that nothing confirmed', async () => {
    const step = await aStep(tx, { state: 'confirming' });
    await expect(tx.update(Step, { id: step.id }, { state: 'done' })).rejects.toThrow('ck_steps_done_is_confirmed');
    expect(await stateOf(step)).toBe('confirming');
    await tx.update(Step, { id: step.id }, { state: 'done', confirmedAt: new Date() });
    await expect(tx.update(Step, { id: step.id }, { confirmedAt: null })).rejects.toThrow('ck_steps_done_is_confirmed');
  });

  it.each(['owner', 'deadline', 'reason'] as const)('a step that needs somebody, without %s', async (missing) => {
    const step = await aStep(tx);
    const task = { state: 'needs_human', owner: 'Grace', deadline: new Date(), reason: 'By hand.' } as const;
    await expect(tx.update(Step, { id: step.id }, { ...task, [missing]: null })).rejects.toThrow(
      'ck_steps_needs_human',
    );
    expect(await stateOf(step)).toBe('ready');
    await tx.update(Step, { id: step.id }, task);
    await expect(tx.update(Step, { id: step.id }, { [missing]: null })).rejects.toThrow('ck_steps_needs_human');
  });

  it.each(['owner', 'reason'] as const)('a waiver without %s', async (missing) => {
    const step = await aStep(tx, { state: 'needs_human' });
    const waiver = { state: 'waived', owner: 'Grace', reason: 'The tool is gone.', [missing]: null } as const;
    await expect(tx.update(Step, { id: step.id }, waiver)).rejects.toThrow('ck_steps_waived');
    expect(await stateOf(step)).toBe('needs_human');
  });
});

describe('a case in the database', () => {
  const close = (id: string) => tx.update(Case, { id }, { state: 'closed', closedAt: new Date() });
  const isClosed = async (id: string) => (await tx.findOneByOrFail(Case, { id })).state === 'closed';

  it.each(STEP_STATES.filter((state) => !FINISHED.includes(state)))('stays open while a step is %s', async (state) => {
    const { id } = await aCase(tx);
    await aStep(tx, { caseId: id, state: 'done' });
    await aStep(tx, { caseId: id, state });
    await expect(close(id)).rejects.toThrow('a case with unfinished steps is not closed');
    expect(await isClosed(id)).toBe(false);
  });

  it('may close when every step is done, superseded or waived', async () => {
    const { id } = await aCase(tx);
    for (const state of FINISHED) await aStep(tx, { caseId: id, act: 'grant', state });
    expect(await isClosed(id)).toBe(false);
    await close(id);
    expect(await isClosed(id)).toBe(true);
  });

  it('stays closed, with the instant of its end', async () => {
    const { id } = await aCase(tx);
    await expect(tx.update(Case, { id }, { state: 'closed' })).rejects.toThrow('ck_cases_closed_at');
    await close(id);
    await expect(tx.update(Case, { id }, { state: 'open', closedAt: null })).rejects.toThrow(
      'a closed case is not opened again',
    );
    expect(await isClosed(id)).toBe(true);
  });
});
