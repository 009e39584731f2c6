import { entitledAt } from './entitlements.js';
import type { ModelRun, Subject } from './model-run.js';
import { isUsable, type ToolWorld, type WorldAccount } from './tool-world.js';

/** After everything that happens. */
export async function checkNow(run: ModelRun): Promise<void> {
  if (run.sentWhileHeld.length > 0) throw new Error(`I10: sent while a hold stands: ${run.sentWhileHeld.join()}`);
  const early = await run.harness.rows<{ act: string; needed: string }>(
    `SELECT s.act, n.act || ' is ' || n.state AS needed FROM steps s
     JOIN step_needs sn ON sn.step_id = s.id JOIN steps n ON n.id = sn.needs_step_id
     WHERE s.state IN ('ready', 'running', 'confirming', 'done') AND n.state NOT IN ('done', 'superseded', 'waived')`,
  );
  if (early.length > 0) throw new Error(`a step goes ahead before its needs: ${JSON.stringify(early)}`);
  for (const subject of run.subjects) {
    if (!subject.personId) continue;
    await checkHolds(run, subject, subject.personId);
    for (const { world } of run.harness.tools) {
      const own = accountsOf(world, subject);
      if (own.length > 1) throw new Error(`I2: ${own.length} accounts at ${world.name}`);
    }
    await checkCut(run, subject, subject.personId);
  }
}

function accountsOf(world: ToolWorld, { personId }: Subject): WorldAccount[] {
  const id = personId;
  return id === undefined ? [] : world.accounts.filter(({ mark }) => mark?.includes(id) === true);
}

async function checkHolds(run: ModelRun, { expected }: Subject, personId: string): Promise<void> {
  const holds = await run.harness.rows<{ reason: string }>(
    'SELECT reason FROM holds WHERE person_id = $1 AND released_at IS NULL',
    [personId],
  );
  if (holds.length > 0 === expected.isHeld) return;
  throw new Error(`holds: ${JSON.stringify(holds)} stand, and the model says held: ${expected.isHeld}`);
}

/** I1, I4: a person who is held, and for whom nothing is left to do, has nothing that works. */
async function checkCut(run: ModelRun, subject: Subject, personId: string): Promise<void> {
  if (!subject.expected.isHeld) return;
  const [left] = await run.harness.rows<{ open: number; waived: number }>(
    `SELECT count(*) FILTER (WHERE s.state NOT IN ('done', 'superseded', 'waived'))::int AS open,
       count(*) FILTER (WHERE s.state = 'waived')::int AS waived
     FROM steps s JOIN cases c ON c.id = s.case_id WHERE s.person_id = $1 AND c.kind IN ('leaver', 'lost_device')`,
    [personId],
  );
  if (!left || left.open > 0 || left.waived > 0) return;
  for (const { world } of run.harness.tools) {
    const working = accountsOf(world, subject).filter(isUsable);
    if (working.length > 0) throw new Error(`I1: everything is closed, and this works: ${JSON.stringify(working)}`);
  }
}

/** When nothing more will happen. */
export async function checkEnd(run: ModelRun): Promise<void> {
  const unfinished = await run.harness.rows(
    `SELECT act, state, reason, lease_owner AS owner FROM steps WHERE state NOT IN ('done', 'superseded', 'waived')`,
  );
  if (unfinished.length > 0) throw new Error(`stuck: ${JSON.stringify(unfinished)}`);
  const open = await run.harness.rows(`SELECT kind FROM cases WHERE state = 'open'`);
  if (open.length > 0) throw new Error(`every step has ended, and cases are open: ${JSON.stringify(open)}`);
  const waived = await run.harness.rows<{ personId: string }>(
    `SELECT DISTINCT person_id AS "personId" FROM steps WHERE state = 'waived'`,
  );
  for (const subject of run.subjects) {
    if (waived.some(({ personId }) => personId === subject.personId)) continue;
    const departments = subject.expected.entitledBy(run.now);
    for (const { key, world } of run.harness.tools) {
      const wanted = entitledAt(departments, key);
      const working = accountsOf(world, subject).filter(isUsable);
      const is = working.map(({ grants }) => grants.toSorted().join());
      const shouldBe = wanted === null ? [] : [wanted.join()];
      if (JSON.stringify(is) !== JSON.stringify(shouldBe)) {
        throw new Error(`desired = actual: at ${key} ${JSON.stringify(is)}, and not ${JSON.stringify(shouldBe)}`);
      }
      const old = working.find(({ version, versionWhenCut }) => versionWhenCut !== null && version <= versionWhenCut);
      if (old) throw new Error(`credentials are new after a cut: at ${key} ${JSON.stringify(old)}`);
    }
  }
}
