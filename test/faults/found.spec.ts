import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CasesService } from '../../src/cases/cases.service.js';
import { Step } from '../../src/cases/step.entity.js';
import { createDataSource } from '../../src/data-source.js';
import { SYSTEM } from '../../src/platform/sign-in/actor.js';
import { aStep, casesServiceOn } from '../factories/cases.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

/** What the fault suite found by chance, each as a promise that is tried at every run. */
describe('a step that is planned while the one it needs is ending', () => {
  let database: TestDatabase;
  let db: ReturnType<typeof createDataSource>;
  let cases: CasesService;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await createDataSource({ url: database.url, applicationName: 'found', poolSize: 4 }).initialize();
    cases = casesServiceOn(db);
  });
  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });

  /** Ends the needed step as a worker does, and releases whoever waits for it. */
  const end = (step: Step) =>
    db.transaction(async (tx) => {
      await tx.query(
        `UPDATE steps SET state = 'done', lease_owner = NULL, lease_until = NULL, confirmed_at = now() WHERE id = $1`,
        [step.id],
      );
      await cases.releaseDependents(tx, [step.id]);
    });

  it('is released all the same, whichever of the two commits first', async () => {
    const needed = await aStep(db.manager, { state: 'running' });
    const planning = db.createQueryRunner();
    await planning.startTransaction();
    const caseId = await cases.open(planning.manager, {
      kind: 'restoration',
      lane: 'standard',
      personId: needed.personId,
      generation: 2,
      actor: SYSTEM,
      steps: [
        {
          key: 'reset',
          act: 'reset_credentials',
          toolId: needed.toolId,
          accountId: needed.accountId ?? '',
          needsSteps: [needed.id],
        },
      ],
    });
    const ending = end(needed);
    await waitFor('the end waits for the plan', async () => {
      const rows = await db.query<unknown[]>(
        `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'found'`,
      );
      return rows.length > 0;
    });
    await planning.commitTransaction();
    await planning.release();
    await ending;

    const [planned] = await db.manager.findBy(Step, { caseId });
    expect(planned?.state).toBe('ready');
  });

  it('does not wait for one that has ended since it was looked up', async () => {
    const needed = await aStep(db.manager, { state: 'running' });
    await end(needed);
    const caseId = await db.transaction((tx) =>
      cases.open(tx, {
        kind: 'restoration',
        lane: 'standard',
        personId: needed.personId,
        generation: 2,
        actor: SYSTEM,
        steps: [
          {
            key: 'reset',
            act: 'reset_credentials',
            toolId: needed.toolId,
            accountId: needed.accountId ?? '',
            needsSteps: [needed.id],
          },
        ],
      }),
    );
    const [planned] = await db.manager.findBy(Step, { caseId });
    expect(planned?.state).toBe('ready');
  });
});
