import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { left, TestService } from '../support/service.js';
import { waitFor } from '../support/wait-for.js';

describe('a worker that is long at work on contracts that end', () => {
  let service: TestService | undefined;
  let somebody: pg.Client | undefined;
  afterEach(async () => {
    await somebody?.end();
    await service?.stop();
  });

  it('puts back what a dead worker held meanwhile', { timeout: 120_000 }, async () => {
    service = await TestService.start();
    const { db } = service;
    const leaver = await service.join();
    const other = await service.join();
    await service.killWorkers('standard,bulk');

    somebody = new pg.Client(service.database.superuserUrl);
    await somebody.connect();
    await somebody.query('BEGIN');
    await somebody.query('SELECT 1 FROM people WHERE id = $1 FOR UPDATE', [other.personId]);
    await db.query(
      `UPDATE employments SET end_date = current_date, ends_at = now() - interval '1 second' WHERE person_id = $1`,
      [other.personId],
    );
    await waitFor('the emergency worker is at the end of that contract', async () => {
      const waiting = await db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.rowCount;
    });
    const dying = await service.startWorker('standard,bulk', {
      preload: 'test/support/fault-at.mjs',
      env: { QM_FAULT: 'sending suspend_account SIGKILL' },
    });
    await service.hr.post(left(leaver.employee));
    expect(await dying.ended).toMatchObject({ signal: 'SIGKILL' });

    await waitFor(
      'the step of the dead worker is put back',
      async () => {
        const steps = await db.query<{ state: string }>(
          `SELECT state FROM steps WHERE person_id = $1 AND act = 'suspend_account' AND crashes = 1`,
          [leaver.personId],
        );
        return steps.rows[0]?.state === 'ready';
      },
      { withinMs: 10_000 },
    );
  });
});
