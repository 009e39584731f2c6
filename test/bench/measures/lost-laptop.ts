import type { BenchService } from '../stage/bench-service.js';
import { until } from '../wait.js';

/** One loss, in milliseconds after its commit. */
export interface Loss {
  caseId: string;
  /** Unix time of the commit. */
  committedAt: number;
  /** The last call that ends access, as the tools saw it arrive. */
  sent: number;
  /** The last commit that says "seen to be gone". */
  confirmed: number;
  /** The most HTTP requests that one account needed, one after the other, from the first to its read-back. */
  chain: number;
}

/** Reports the laptop lost as a person would, and waits until the case is closed: every tool looked at once more. */
export async function loseLaptop(
  service: BenchService,
  assetTag: string,
  meanwhile: (caseId: string) => Promise<void> = async () => undefined,
): Promise<Loss> {
  await service.tools.take();
  const { caseId } = await service.call<{ caseId: string }>('POST', '/v1/lost-devices', { assetTag });
  await meanwhile(caseId);
  await untilClosed(service, caseId);
  return lossOf(service, caseId, assetTag);
}

async function untilClosed({ database }: BenchService, caseId: string): Promise<void> {
  await until(
    `the case ${caseId} is closed`,
    async () => {
      const rows = await database
        .rows<{ state: string }>(`SELECT state FROM cases WHERE id = $1`, [caseId])
        // PostgreSQL may be away on purpose.
        .catch(() => []);
      return rows[0]?.state === 'closed' ? true : undefined;
    },
    { withinMs: 90_000, everyMs: 40 },
  );
}

async function lossOf({ database, tools, toolIds }: BenchService, caseId: string, userName: string): Promise<Loss> {
  // The hold is written in the report's transaction and by no other; a step's last writer is the one that ended it.
  const [times] = await database.rows<{ committed: number; confirmed: number; done: number }>(
    `SELECT EXTRACT(EPOCH FROM pg_xact_commit_timestamp(h.xmin))::float8 * 1000 AS committed,
       EXTRACT(EPOCH FROM max(pg_xact_commit_timestamp(s.xmin)))::float8 * 1000 AS confirmed, count(*)::int AS done
     FROM holds h JOIN steps s ON s.case_id = h.case_id AND s.act = 'suspend_account' AND s.state = 'done'
     WHERE h.case_id = $1 GROUP BY h.xmin`,
    [caseId],
  );
  if (!times || times.done < toolIds.length) throw new Error(`case ${caseId} is closed, but not every account was cut`);
  const { cuts, perAttempt } = await tools.take();
  const own = cuts.filter((cut) => cut.userName === userName);
  if (new Set(own.map(({ tool }) => tool)).size !== toolIds.length) {
    throw new Error(`the calls of case ${caseId} were not seen at every tool`);
  }
  const attempts = await database.rows<{ step: string; attempt: string }>(
    `SELECT a.step_id AS step, a.id AS attempt FROM attempts a JOIN steps s ON s.id = a.step_id
     WHERE s.case_id = $1 AND s.act = 'suspend_account'`,
    [caseId],
  );
  const chains = new Map<string, number>();
  for (const { step, attempt } of attempts) chains.set(step, (chains.get(step) ?? 0) + (perAttempt[attempt] ?? 0));
  return {
    caseId,
    committedAt: times.committed,
    sent: Math.max(...own.map(({ at }) => at)) - times.committed,
    confirmed: times.confirmed - times.committed,
    chain: Math.max(...chains.values()),
  };
}
