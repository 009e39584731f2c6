import { waitFor } from '../../support/wait-for.js';
import type { Fault } from '../fault.js';

/** I9: it proves itself alive within 10 s or exits. One heartbeat more is what it takes to notice. */
const SILENCE_MS = 10_000;
const NOTICE_MS = 1_500;

const toPostgres: Fault = {
  name: 'half-open sockets between a worker and PostgreSQL',
  async run(scene) {
    const { service } = scene;
    const [worker] = service.workers;
    const before = worker.endings.length;
    service.lines.postgres.swallow();
    const since = performance.now();
    try {
      await waitFor('the cut-off worker ends itself', () => worker.endings.length > before, { withinMs: 40_000 });
      scene.measure('the worker ended itself after', performance.now() - since, SILENCE_MS + NOTICE_MS);
    } finally {
      service.lines.postgres.mend();
    }
    await worker.untilReady(60_000);
    scene.say('a new one took its place');
  },
};

const toRedis: Fault = {
  name: 'half-open sockets between a worker and Redis',
  needs: ['Redis'],
  async run(scene) {
    const { service, company } = scene;
    const [worker, other] = service.workers;
    const line = service.lines.redis;
    if (!line) throw new Error('this service has no Redis');
    // Alone, so that nobody does its work for it.
    await other.stop();
    try {
      const before = worker.endings.length;
      line.swallow();
      // New connections are good: only those that were there went deaf.
      line.mend();
      const since = Date.now();
      const caseId = await company.hire(company.newcomer());
      const begun = await waitFor(
        'the worker works again',
        async () => {
          const [row] = await service.rows<{ at: Date }>(
            `SELECT a.intended_at AS at FROM attempts a JOIN steps s ON s.id = a.step_id WHERE s.case_id = $1 LIMIT 1`,
            [caseId],
          );
          return row?.at;
        },
        { withinMs: 60_000, everyMs: 100 },
      );
      scene.say(worker.endings.length > before ? 'it exited and was started again' : 'it stayed and connected anew');
      scene.measure('worked again after', begun.getTime() - since, SILENCE_MS + 5_000);
    } finally {
      other.start();
      await other.untilReady();
    }
  },
};

export const halfOpen: readonly Fault[] = [toPostgres, toRedis];
