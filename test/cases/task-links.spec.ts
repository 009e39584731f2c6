import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Alert } from '../../src/cases/alert.entity.js';
import { StepEvidence } from '../../src/cases/step-evidence.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { Person } from '../../src/people/person.entity.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { aStep } from '../factories/cases.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';
import { waitFor } from '../support/wait-for.js';

let service: ServiceApp;
let tx: EntityManager;
let admin: Awaited<ReturnType<ServiceApp['caller']>>;
let toolId: string;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  admin = await service.caller('Grace');
  toolId = (await aTool(tx, { key: 'badges', name: 'Badge office', connector: 'manual' })).id;
});
afterAll(() => service?.close());

const BOB = 'bob@contractor.example';
const aTask = () => aStep(tx, { state: 'needs_human', toolId });
const stepOf = (id: string) => tx.findOneByOrFail(Step, { id });
async function linkTo(id: string, to = BOB): Promise<string> {
  const { body } = await admin.post(`/v1/steps/${id}/task-link`).send({ for: to }).expect(201);
  return new URL(body.url as string).pathname;
}

describe('a task link', () => {
  it('lets somebody without a sign-in do one step by hand, with a file, once', async () => {
    const { id } = await aTask();
    const link = await linkTo(id);
    expect(await stepOf(id)).toMatchObject({ owner: BOB, state: 'needs_human' });
    expect(await tx.findOneByOrFail(Alert, { stepId: id, kind: 'needs_human' })).toMatchObject({ owner: BOB });

    const page = await service.stranger.get(link).expect(200);
    expect(page.text).toContain('Badge office');
    const done = service.stranger.post(link).field('note', 'Blocked badge 17.');
    await done.attach('file', Buffer.from('a picture'), 'Türschloss.png').expect(200);

    const step = await stepOf(id);
    expect(step.state).toBe('done');
    expect(step.reason).toBe(`Blocked badge 17. (by the link that Grace made for ${BOB})`);
    expect(await tx.findBy(StepEvidence, { stepId: id })).toMatchObject([{ fileName: 'Türschloss.png', addedBy: BOB }]);
    const [entry] = await tx.findBy(AuditEntry, { stepId: id, action: 'step.done' });
    expect(entry?.actorId).toMatch(/^task-link:/);
    await service.stranger.get(link).expect(410);
    await service.stranger.post(link).field('note', 'Again.').expect(410);
    expect(service.log()).not.toContain(link.split('/').at(-1));
  });

  it('asks again when nothing was said, and stops working when the step is given to somebody else', async () => {
    const { id } = await aTask();
    const [replaced, link] = [await linkTo(id), await linkTo(id)];
    await service.stranger.get(replaced).expect(410);
    const again = await service.stranger.post(link).field('note', ' ').expect(400);
    expect(again.text).toContain('Say in a few words');
    expect((await stepOf(id)).state).toBe('needs_human');
    const { body } = await admin.post(`/v1/steps/${id}/assign`).send({ owner: 'facility' }).expect(200);
    expect(body.owner).toBe('facility');
    await service.stranger.post(link).field('note', 'Did it.').expect(410);
  });

  it('isn’t made for whom the step is about, where two people are wanted, or where nobody is needed', async () => {
    const own = await aTask();
    const { corporateEmail } = await tx.findOneByOrFail(Person, { id: own.personId });
    await admin.post(`/v1/steps/${own.id}/task-link`).send({ for: corporateEmail.toUpperCase() }).expect(403);
    await admin.post(`/v1/steps/${own.id}/assign`).send({ owner: corporateEmail }).expect(403);
    const strict = await aTool(tx, { key: 'vault', connector: 'manual', requiresSecondPerson: true });
    const two = await aStep(tx, { state: 'needs_human', toolId: strict.id });
    const { body } = await admin.post(`/v1/steps/${two.id}/task-link`).send({ for: BOB }).expect(409);
    expect(body.detail).toContain('both have to sign in');
    const done = await aStep(tx, { state: 'done', toolId });
    await admin.post(`/v1/steps/${done.id}/task-link`).send({ for: BOB }).expect(409);
  });

  it('does nothing once the step was given to somebody else, even while the button was being pressed', async () => {
    const { id } = await aTask();
    const link = await linkTo(id);
    const giving = service.db.createQueryRunner();
    await giving.startTransaction();
    try {
      await giving.query(`SELECT FROM steps WHERE id = $1 FOR UPDATE`, [id]);
      await giving.query(`UPDATE task_links SET ended_at = now() WHERE step_id = $1`, [id]);
      const pressed = service.stranger.post(link).field('note', 'Blocked.').attach('file', Buffer.from('x'), 'x.png');
      const answered = pressed.then(({ status }) => status);
      await waitFor('whoever pressed waits', async () => {
        const [row] = await service.db.query<{ waiting: number }[]>(
          `SELECT count(*)::int AS waiting FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        return row?.waiting;
      });
      await giving.commitTransaction();
      expect(await answered).toBe(410);
    } finally {
      if (giving.isTransactionActive) await giving.rollbackTransaction();
      await giving.release();
    }
    expect((await stepOf(id)).state).toBe('needs_human');
    expect(await tx.countBy(StepEvidence, { stepId: id })).toBe(0);
  });

  it('reads no file for who holds no good link: it is refused before what is sent is looked at', async () => {
    const { id } = await aTask();
    const [ended, good] = [await linkTo(id), await linkTo(id)];
    const twoFiles = (link: string) =>
      service.stranger.post(link).attach('file', Buffer.from('x'), 'x.png').attach('more', Buffer.from('y'), 'y.png');
    await twoFiles(good).expect(400);
    const refused = await twoFiles(ended).expect(410);
    expect(refused.text).toContain('does not work any more');
  });

  it('takes no file beyond 2 MiB, and then nothing is done', async () => {
    const { id } = await aTask();
    const link = await linkTo(id);
    const sent = service.stranger.post(link).field('note', 'Blocked.');
    const refused = await sent.attach('file', Buffer.alloc(2 * 1024 * 1024 + 1), 'film.mp4').expect(413);
    expect(refused.text).toContain('2 MiB at most');
    expect((await stepOf(id)).state).toBe('needs_human');
  });
});
