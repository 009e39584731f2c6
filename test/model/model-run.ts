import { randomUUID } from 'node:crypto';
import type { Claim } from '../../src/cases/engine/claim.js';
import { StepDecisions } from '../../src/cases/step-decisions.service.js';
import { CredentialResetsService } from '../../src/credential-resets/credential-resets.service.js';
import { DueEmployments } from '../../src/hr-feeds/due-employments.service.js';
import { InboxService } from '../../src/hr-feeds/inbox.service.js';
import { LeaversService } from '../../src/leavers/leavers.service.js';
import { LostDevicesService } from '../../src/lost-devices/lost-devices.service.js';
import { Problem } from '../../src/platform/errors/problem.js';
import { SYSTEM, type Actor } from '../../src/platform/sign-in/actor.js';
import { aDevice } from '../factories/devices.js';
import type { EngineHarness } from './engine-harness.js';
import { ExpectedAccess, type Story } from './expected-access.js';
import { PEOPLE, type Happening } from './history.js';
import { checkEnd, checkNow } from './model-checks.js';
import { ModelWorkers, type WorkerLane } from './model-workers.js';
import { isGrant } from './scripted-tool.js';

/** Somebody in the history, with what the model expects of them. */
export interface Subject {
  employee: string;
  email: string;
  username: string;
  expected: ExpectedAccess;
  stories: Story[];
  personId: string | undefined;
  losses: { caseId: string; isOver: boolean }[];
}

const ADMIN: Actor = { ...SYSTEM, name: 'an admin' };
const EPOCH = Date.UTC(2026, 5, 1);
const ROUNDS = 80;

/** One history, on the real engine and on the model at once. */
export class ModelRun {
  readonly subjects: Subject[];
  readonly workers: ModelWorkers;
  /** Virtual milliseconds, for the model; only ends that are still to come depend on it. */
  now = 0;
  /** Grants that the tools saw being sent while the model says that a hold stands. */
  readonly sentWhileHeld: string[] = [];

  constructor(readonly harness: EngineHarness) {
    const tag = randomUUID().slice(0, 8);
    this.subjects = Array.from({ length: PEOPLE }, (_, index) => ({
      employee: `E-${tag}-${index}`,
      email: `ada.${tag}.${index}@acme.example`,
      username: `ada.${tag}.${index}`,
      expected: new ExpectedAccess(),
      stories: [],
      personId: undefined,
      losses: [],
    }));
    this.workers = new ModelWorkers(harness, (lane, claims) => this.checkClaims(lane, claims));
    for (const tool of harness.tools) {
      tool.onSent = ({ act, mark, externalId }) => {
        const owner = mark === '' ? tool.world.accounts.find((one) => one.externalId === externalId)?.mark : mark;
        const subject = this.subjects.find(({ personId }) => personId && owner?.includes(personId));
        if (isGrant(act) && subject?.expected.isHeld) this.sentWhileHeld.push(`${act} at ${tool.key}`);
      };
    }
  }

  /** To the end of the history, and then until nothing is left to do. */
  async live(happenings: readonly Happening[]): Promise<void> {
    let at = 'the end';
    try {
      for (const [index, one] of happenings.entries()) {
        at = `happening ${index}, ${JSON.stringify(one)}`;
        await this.happen(one);
        await checkNow(this);
      }
      at = 'the end';
      await this.settle();
      await checkEnd(this);
    } catch (error) {
      throw new Error(`at ${at}: ${String(error)}`, { cause: error });
    } finally {
      await this.workers.leave();
    }
  }

  private async happen(one: Happening): Promise<void> {
    const { app } = this.harness;
    switch (one.what) {
      case 'HR tells':
        return this.hear(this.subject(one.person), this.storyOf(one));
      case 'HR tells again': {
        const { stories } = this.subject(one.person);
        const last = stories.at(-1);
        return last && this.hear(this.subject(one.person), last);
      }
      case 'an end comes':
        return this.comeToEnds();
      case 'leaves now':
        return this.leaveNow(this.subject(one.person));
      case 'loses a laptop':
        return this.lose(this.subject(one.person));
      case 'gets access back':
        return this.giveBack(one.pick);
      case 'gets new credentials': {
        const { personId } = this.subject(one.person);
        if (personId) await app.get(CredentialResetsService).start(personId, ADMIN).catch(unlessConflict);
        return;
      }
      case 'works':
        await this.workers.work(one.lane, one.slots, one.fates);
        return;
      case 'stops at work': {
        const stopped = await this.workers.stopAtWork(one.lane);
        if (stopped && one.how !== 'freezes') await this.workers.die(stopped, { isSent: one.how === 'dies' });
        return;
      }
      case 'goes on': {
        const stopped = this.workers.stopped[one.pick % Math.max(1, this.workers.stopped.length)];
        return stopped && this.goOn(stopped);
      }
      case 'sweeps':
        await this.workers.sweep();
        return;
      case 'time passes':
        return this.workers.pass(one.ms);
      case 'somebody decides':
        return this.decide(one.pick, one.how);
    }
  }

  private subject(index: number): Subject {
    const subject = this.subjects[index % PEOPLE];
    if (!subject) throw new Error('nobody is there');
    return subject;
  }

  private storyOf({ person, kind, department, order, atOnce }: Extract<Happening, { what: 'HR tells' }>): Story {
    const { stories, employee } = this.subject(person);
    const last = stories.at(-1)?.at ?? 0;
    const at = order === 'tie' ? last : order === 'late' ? last - 30_000 : last + 60_000;
    const endsAt = atOnce ? null : this.now + 1_000_000;
    const story = { kind, employee, department, at, sequence: 0, body: '', endsAt };
    // Two that say the same of the same instant are one event.
    return { ...story, body: JSON.stringify(eventOf(this.subject(person), story)) };
  }

  private async hear(subject: Subject, story: Story): Promise<void> {
    if (!subject.stories.includes(story)) subject.stories.push(story);
    const expected = subject.expected.tell(story, this.now);
    const { outcome, outcomeReason } = await this.harness.app.get(InboxService).receive('hr', randomUUID(), story.body);
    const told = outcome === 'scheduled' ? 'applied' : outcome;
    if (told !== expected) {
      throw new Error(`${story.body} (${story.kind}) was ${told} (${outcomeReason}), and ought to be ${expected}`);
    }
    await this.learnIds();
  }

  private async learnIds(): Promise<void> {
    for (const subject of this.subjects) {
      const [row] = await this.harness.rows<{ id: string }>('SELECT id FROM people WHERE corporate_email = $1', [
        subject.email,
      ]);
      subject.personId = row?.id;
    }
  }

  private async comeToEnds(): Promise<void> {
    this.now += 1_000_000;
    await this.harness.db.query(`UPDATE employments SET ends_at = now() - interval '1 second' WHERE ends_at > now()`);
    for (const { expected } of this.subjects) expected.comeTo(this.now);
    await this.harness.app.get(DueEmployments).applyDue();
  }

  private async leaveNow({ personId, expected }: Subject): Promise<void> {
    if (!personId) return;
    expected.leaveNow(this.now);
    const { db, app } = this.harness;
    await db.transaction((tx) => app.get(LeaversService).begin(tx, personId, ADMIN, {}));
  }

  private async lose(subject: Subject): Promise<void> {
    if (!subject.personId) return;
    const device = await aDevice(this.harness.db.manager, { holderId: subject.personId });
    const { caseId } = await this.harness.app.get(LostDevicesService).report({ deviceId: device.id }, undefined, ADMIN);
    subject.losses.push({ caseId, isOver: false });
    subject.expected.lose(caseId);
  }

  private async giveBack(pick: number): Promise<void> {
    const open = this.subjects.flatMap((subject) =>
      subject.losses.filter(({ isOver }) => !isOver).map((loss) => ({ subject, loss })),
    );
    const chosen = open[pick % Math.max(1, open.length)];
    if (!chosen) return;
    chosen.loss.isOver = true;
    chosen.subject.expected.giveBack(chosen.loss.caseId);
    await this.harness.app.get(LostDevicesService).restore(chosen.loss.caseId, undefined, ADMIN);
  }

  private async decide(pick: number, how: 'retry' | 'complete' | 'waive'): Promise<void> {
    const waiting = await this.harness.rows<{ id: string }>(
      `SELECT id FROM steps WHERE state = 'needs_human' ORDER BY id`,
    );
    const step = waiting[pick % Math.max(1, waiting.length)];
    if (!step) return;
    const decisions = this.harness.app.get(StepDecisions);
    if (how === 'retry') await decisions.retry(step.id, ADMIN);
    else await decisions[how](step.id, 'Because.', ADMIN);
  }

  /** I5: what was taken over meanwhile stays as it is, whatever its old holder writes. */
  private async goOn(stopped: ModelWorkers['stopped'][number]): Promise<void> {
    const row = () =>
      this.harness.rows<{ fence: number; owner: string | null }>(
        'SELECT fence, lease_owner AS owner, state, attempts, input FROM steps WHERE id = $1',
        [stopped.claim.stepId],
      );
    const [before] = await row();
    const isOurs = before?.owner === stopped.worker.workerId && before.fence === stopped.claim.fence;
    await this.workers.goOn(stopped);
    const [after] = await row();
    if (!isOurs && JSON.stringify(before) !== JSON.stringify(after)) {
      throw new Error(`I5: an old holder of ${stopped.claim.act} wrote ${JSON.stringify(after)}`);
    }
  }

  private async checkClaims(lane: WorkerLane, claims: readonly Claim[]): Promise<void> {
    const busy = await this.harness.rows<{ key: string; busy: number; room: number }>(
      `SELECT t.key, count(s.id)::int AS busy, b.concurrency AS room FROM tools t
       JOIN tool_budgets b ON b.tool_id = t.id AND b.share = 'shared'
       JOIN steps s ON s.tool_id = t.id AND s.lane <> 'emergency' AND s.lease_owner IS NOT NULL
       GROUP BY t.key, b.concurrency`,
    );
    const over = busy.find((one) => one.busy > one.room);
    if (over && claims.length > 0 && lane === 'standard') {
      throw new Error(`admission: ${over.busy} routine steps at ${over.key}, which has room for ${over.room}`);
    }
  }

  /** From here on nothing breaks: everybody goes on, and somebody retries whatever waits for a person. */
  private async settle(): Promise<void> {
    for (const stopped of this.workers.stopped.slice()) await this.goOn(stopped);
    for (let round = 0; round < ROUNDS; round += 1) {
      await this.workers.sweep();
      let done = 0;
      for (const lane of ['emergency', 'standard'] as const) done += await this.workers.work(lane, 16);
      await checkNow(this);
      if (done > 0) continue;
      const [left] = await this.harness.rows<{ open: number; human: number }>(
        `SELECT count(*) FILTER (WHERE state NOT IN ('done', 'superseded', 'waived'))::int AS open,
           count(*) FILTER (WHERE state = 'needs_human')::int AS human FROM steps`,
      );
      if (left?.open === 0) return;
      if (left && left.human > 0) await this.decide(round, 'retry');
      else await this.workers.pass(15_000);
    }
  }
}

function eventOf({ employee, email, username }: Subject, story: Story): object {
  const occurredAt = new Date(EPOCH + story.at).toISOString();
  const facts = {
    id: employee,
    givenName: 'Ada',
    familyName: username,
    workEmail: email,
    department: story.department,
    timeZone: 'UTC',
    startDate: '2026-01-05',
  };
  switch (story.kind) {
    case 'joined':
    case 'changed':
      return { type: `employee.${story.kind}`, occurredAt, employee: facts };
    case 'left': {
      const end = story.endsAt === null ? { endDate: '2026-06-01' } : { endDate: '2099-12-31' };
      return {
        type: 'employee.left',
        occurredAt,
        employee: { id: employee, ...end },
        immediate: story.endsAt === null,
      };
    }
    case 'cancelled':
      return { type: 'employee.leave-cancelled', occurredAt, employee: { id: employee } };
  }
}

function unlessConflict(error: unknown): void {
  if (!(error instanceof Problem) || error.kind !== 'conflict') throw error;
}
