import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { CasesService } from '../../src/cases/cases.service.js';
import { claimDue, claimThese, handOverDue, renewLeases, type Claim } from '../../src/cases/engine/claim.js';
import { SettleTogether } from '../../src/cases/engine/settle-together.js';
import { Settlement } from '../../src/cases/engine/settle.js';
import { Sweeper } from '../../src/cases/engine/sweep.js';
import { loadTarget } from '../../src/cases/engine/target.js';
import { HrSourcesService } from '../../src/hr-feeds/hr-sources.service.js';
import { prepared, preparedName } from '../../src/platform/database/prepared.js';
import { seedAccounts, seeding, seedLeavers, seedPeople } from '../bench/seeds/seed.js';
import { seedTools } from '../bench/seeds/seed-tools.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

/**
 * Steps in the table, nine of ten of them over, and as many attempts. A hundred thousand: from some thousands on the
 * planner weighs an index against reading the table as it does at a million, where the bench measures the same paths.
 */
const PEOPLE = 10_000;
const TOOLS = 10;

interface Statement {
  sql: string;
  parameters: unknown[];
}

let service: ServiceApp;
let db: DataSource;
let superuser: pg.Pool;
/** From PostgreSQL 16 on. */
let canPlanForAny: boolean;
const workerId = randomUUID();

beforeAll(async () => {
  service = await startServiceApp();
  db = service.db;
  const [{ version }] = await db.query<[{ version: number }]>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  canPlanForAny = version >= 160_000;
  superuser = new pg.Pool({ connectionString: service.database.superuserUrl, max: 1 });
  await seeding(superuser, async (client) => {
    const toolIds = await seedTools(client, TOOLS);
    await seedPeople(client, { label: 'many', count: PEOPLE });
    await seedAccounts(client, 'many', toolIds);
    await seedLeavers(client, 'many');
    await client.query(`INSERT INTO workers (id, lanes, host, pid) VALUES ($1, '{standard,bulk}', 'test', 1)`, [
      workerId,
    ]);
    await client.query(`
      UPDATE steps SET state = 'done', confirmed_at = now(), ended_at = now()
      WHERE person_id IN (SELECT id FROM people WHERE corporate_email !~ '0@')`);
    await client.query(
      `INSERT INTO attempts (id, step_id, person_id, tool_id, number, kind, effect, fence, worker_id, intent, call_deadline, outcome, finished_at)
       SELECT gen_random_uuid(), id, person_id, tool_id, 1, 'act', effect, 1, $1, '{}', now(), 'done', now() FROM steps
       WHERE state = 'done'`,
      [workerId],
    );
    await client.query(`
      INSERT INTO step_needs (step_id, needs_step_id)
      SELECT s.id, before.id FROM steps s JOIN steps before ON before.case_id = s.case_id AND before.position = s.position - 1`);
    await client.query(`
      INSERT INTO inbox_events (id, source, event_id, body, event_type, employee_id, event_time, sequence, outcome)
      SELECT gen_random_uuid(), 'hr', 'event ' || n, '{}', 'employee.joined', 'employee ' || n, now(), 0, 'applied'
      FROM generate_series(1, ${PEOPLE * TOOLS}) n`);
  });
}, 180_000);
afterAll(async () => {
  await superuser?.end();
  await service?.close();
});

/** What is asked of PostgreSQL while `act` runs, statement by statement. */
async function statementsOf(act: () => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  const { logger } = db;
  db.logger = Object.assign(Object.create(logger) as typeof logger, {
    logQuery: (sql: string, parameters: unknown[] = []) => void statements.push({ sql, parameters }),
  });
  try {
    await act();
  } finally {
    db.logger = logger;
  }
  return statements.filter(({ sql }) => /^(\/\*.*?\*\/)?\s*(SELECT|WITH|INSERT|UPDATE|DELETE)/i.test(sql));
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: PlanNode[];
}

/**
 * The tables that a statement would read from the first row to the last, were PostgreSQL free to: the service's own
 * connections are told to avoid that, so that a missing index wouldn't show. Of a prepared statement the plan for any
 * parameters is looked at as well.
 */
async function readsWhole({ sql, parameters }: Statement): Promise<string[]> {
  const client = db.createQueryRunner();
  const scansOf = async (explain: string, values?: unknown[]): Promise<string[]> => {
    const [row] = (await client.query(`${explain} ${sql}`, values)) as [{ 'QUERY PLAN': [{ Plan: PlanNode }] }];
    return seqScans(row['QUERY PLAN'][0].Plan);
  };
  try {
    await client.startTransaction();
    await client.query(`SET LOCAL enable_seqscan = on`);
    const scans = await scansOf('EXPLAIN (FORMAT JSON)', parameters);
    if (preparedName(sql) === undefined || !canPlanForAny) return scans;
    return [...scans, ...(await scansOf('EXPLAIN (GENERIC_PLAN, FORMAT JSON)'))];
  } finally {
    await client.rollbackTransaction();
    await client.release();
  }
}

function seqScans(node: PlanNode): string[] {
  const own = node['Node Type'] === 'Seq Scan' ? [node['Relation Name'] ?? '?'] : [];
  return [...own, ...(node.Plans ?? []).flatMap(seqScans)];
}

/** Tables that grow with the company's history; reading a few tools or workers whole is right. */
const GROWING = new Set([
  'steps',
  'attempts',
  'cases',
  'accounts',
  'people',
  'step_needs',
  'audit_entries',
  'inbox_events',
]);

async function expectNoWholeReads(act: () => Promise<unknown>): Promise<void> {
  const statements = await statementsOf(act);
  expect(statements.length).toBeGreaterThan(0);
  for (const statement of statements) {
    const whole = (await readsWhole(statement)).filter((table) => GROWING.has(table));
    expect({ sql: statement.sql, whole }).toEqual({ sql: statement.sql, whole: [] });
  }
}

async function aClaim(): Promise<Claim> {
  const [due] = await handOverDue(db, ['standard'], 1);
  const [claim] = due ? await claimThese(db, workerId, [due.id]) : [];
  if (!claim) throw new Error('nothing was due');
  return claim;
}

describe('no table that grows is read whole', () => {
  it('which this test would notice', async () => {
    const reading = () => db.query(`SELECT count(*) FROM steps WHERE reason = $1`, ['nothing has this']);
    const [statement] = await statementsOf(reading);
    expect(statement && (await readsWhole(statement))).toEqual(['steps']);
    const [always] = await statementsOf(() =>
      db.query(prepared(`SELECT count(*) FROM steps WHERE reason = $1`), ['nothing']),
    );
    expect(always && (await readsWhole(always))).toEqual(canPlanForAny ? ['steps', 'steps'] : ['steps']);
  });

  it('by the dispatcher that hands steps over to Redis', () =>
    expectNoWholeReads(async () => {
      expect(await handOverDue(db, ['standard', 'bulk'], 64)).toHaveLength(64);
    }));

  it('by a claim of one step, of a lane without Redis, or of the emergency lane that has nothing to do', () =>
    expectNoWholeReads(async () => {
      expect(await aClaim()).toMatchObject({ workerId });
      expect(await claimDue(db, workerId, ['standard', 'bulk'], 8)).toHaveLength(8);
      expect(await claimDue(db, workerId, ['standard', 'bulk'], 1, 'suspect')).toEqual([]);
      expect(await claimDue(db, workerId, ['emergency'], 64)).toEqual([]);
    }));

  it('by what a worker does with a step: load, renew, act, read back, settle, close', () =>
    expectNoWholeReads(async () => {
      const [settlement, together] = [service.app.get(Settlement), service.app.get(SettleTogether)];
      const done = { state: 'done', residualUntil: null, unprovable: null } as const;
      const result = { outcome: 'shown' } as const;
      const readBackOf = async (claim: Claim): Promise<Claim> => {
        await loadTarget(db, claim);
        await renewLeases(db, workerId);
        const readBack = await together.goOnToReadBack(claim, { outcome: 'done' }, {});
        if (!readBack) throw new Error('the step was taken over');
        return readBack;
      };
      const claim = await readBackOf(await aClaim());
      const shown = { claim, accountId: claim.accountId ?? '', observed: null, loadedAt: new Date() };
      expect(await together.end({ ...shown, result, next: done })).toBe(true);
      const other = await readBackOf(await aClaim());
      await db.transaction((tx) => settlement.settle(tx, other, result, done));
    }));

  it('by the sweep, when a worker is gone and when none is', () =>
    expectNoWholeReads(async () => {
      await aClaim();
      await service.app.get(Sweeper).sweep();
      await service.app.get(Sweeper).sweep();
    }));

  it('by a decision about a person', async () => {
    const { personId } = await aClaim();
    const cases = service.app.get(CasesService);
    await expectNoWholeReads(() =>
      db.transaction(async (tx) => {
        await cases.supersedeGrants(tx, personId, 'A newer decision.');
        await cases.unfinishedRevocations(tx, personId);
        await cases.standingHolds(tx, personId);
      }),
    );
  });

  it('by the list of HR sources, which says when the last event of each came', () =>
    expectNoWholeReads(async () => {
      expect(await service.app.get(HrSourcesService).list()).toMatchObject([
        { name: 'hr', lastEventAt: expect.any(Date) },
      ]);
    }));

  it('by an HR event', async () => {
    const joined = (id: string) => ({
      type: 'employee.joined',
      occurredAt: new Date().toISOString(),
      employee: {
        id,
        givenName: 'Ada',
        familyName: 'Lovelace',
        workEmail: `${id.toLowerCase()}@acme.example`,
        department: 'engineering',
        timeZone: 'Europe/Berlin',
        startDate: '2026-01-05',
      },
    });
    // The first one of a source asks how many people there are, for the limit of the day.
    await service.post(joined('E-0')).expect(202);
    const event = joined('E-1');
    await expectNoWholeReads(async () => {
      expect((await service.post(event)).body).toMatchObject({ outcome: 'applied' });
      expect((await service.post(event)).body).toMatchObject({ outcome: 'duplicate' });
    });
  });
});
