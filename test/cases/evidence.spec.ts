import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { StepEvidence } from '../../src/cases/step-evidence.entity.js';
import type { Step } from '../../src/cases/step.entity.js';
import { cliContext } from '../../src/cli/cli-context.js';
import { runCli } from '../../src/cli/run-cli.js';
import { createDataSource } from '../../src/data-source.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { aCase, aStep } from '../factories/cases.js';
import { aPerson } from '../factories/people.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTool } from '../factories/tools.js';
import { createTestDatabase } from '../support/database.js';

type Caller = Awaited<ReturnType<ServiceApp['caller']>>;

let service: ServiceApp;
let tx: EntityManager;
let grace: Caller;
beforeAll(async () => {
  service = await startServiceApp();
  tx = service.db.manager;
  grace = await service.caller('Grace');
});
afterAll(() => service?.close());

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const aTask = (with_: Partial<Step> = {}) => aStep(tx, { state: 'needs_human', ...with_ });
const filesOf = ({ id }: Step) => tx.findBy(StepEvidence, { stepId: id });
const audited = ({ id }: Step, action: string) => tx.findBy(AuditEntry, { stepId: id, action });

function put(step: Step, content: Buffer, { name = 'page.png', sha256 = hashOf(content), as = grace } = {}) {
  return as
    .put(`/v1/steps/${step.id}/evidence/${sha256}`)
    .query({ name })
    .set('content-type', 'application/octet-stream')
    .send(content);
}

const get = (step: Step, sha256: string, as = grace) =>
  as.get(`/v1/steps/${step.id}/evidence/${sha256}`).responseType('blob');

it('is kept by its hash and given back as it was, and who did either is written down', async () => {
  const step = await aTask();
  const content = randomBytes(300_000);
  const sha256 = hashOf(content);
  const { body } = await put(step, content, { name: 'Ada’s page – 1.png' }).expect(201);
  expect(body).toMatchObject({ sha256, fileName: 'Ada’s page – 1.png', bytes: 300_000, addedBy: 'Grace' });
  expect(await audited(step, 'step.evidence-added')).toMatchObject([{ facts: { sha256, bytes: 300_000 } }]);

  const listed = await grace.get(`/v1/steps/${step.id}/evidence`).expect(200);
  expect(listed.body.items).toEqual([body]);
  expect(await audited(step, 'step.evidence-read')).toEqual([]);
  const answer = await get(step, sha256).expect(200);
  expect(Buffer.compare(answer.body as Buffer, content)).toBe(0);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent('Ada’s page – 1.png')}`,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  expect(await audited(step, 'step.evidence-read')).toHaveLength(1);
});

it('lies sealed in the database', async () => {
  const step = await aTask();
  const canary = Buffer.from('canary-evidence-7d1e'.repeat(100));
  await put(step, canary).expect(201);
  const [file] = await filesOf(step);
  const [row] = await tx.query<{ sealed: Buffer }[]>(`SELECT sealed FROM secrets WHERE id = $1`, [file?.secretId]);
  expect(row?.sealed.length).toBeGreaterThan(canary.length);
  expect(row?.sealed.includes('canary')).toBe(false);
  expect(row?.sealed.includes(canary.toString('base64').slice(0, 40))).toBe(false);
});

it('is kept once, however often it is sent', async () => {
  const step = await aTask();
  const content = randomBytes(100);
  const answers = await Promise.all([put(step, content), put(step, content), put(step, content, { name: 'b.png' })]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 201]);
  expect(await filesOf(step)).toHaveLength(1);
});

it.each([
  ['one byte too many', 413, (step: Step) => put(step, Buffer.alloc(2 * 1024 * 1024 + 1))],
  ['nothing at all', 400, (step: Step) => put(step, Buffer.alloc(0))],
  [
    'another file than its address says',
    400,
    (step: Step) => put(step, Buffer.from('x'), { sha256: hashOf(Buffer.from('y')) }),
  ],
  ['an address that is no hash', 400, (step: Step) => put(step, Buffer.from('x'), { sha256: 'page.png' })],
  ['a name with a folder in it', 400, (step: Step) => put(step, Buffer.from('x'), { name: '../../etc/passwd' })],
  ['a name that breaks a header', 400, (step: Step) => put(step, Buffer.from('x'), { name: 'a\r\nSet-Cookie: x' })],
  [
    'another type of content',
    400,
    (step: Step) => put(step, Buffer.from('{}')).set('content-type', 'application/json'),
  ],
])('refuses %s, and keeps nothing', async (_what, status, send) => {
  const step = await aTask();
  await send(step).expect(status);
  expect(await filesOf(step)).toEqual([]);
});

it('takes the largest file there may be, and ten files at most', async () => {
  const step = await aTask();
  await put(step, Buffer.alloc(2 * 1024 * 1024, 1)).expect(201);
  for (let n = 0; n < 9; n += 1) await put(step, Buffer.from(`file ${n}`)).expect(201);
  await put(step, Buffer.from('one more')).expect(409);
  await put(step, Buffer.from('file 3')).expect(200);
});

it('is left with a step that needs a person, by those who may decide, never about oneself', async () => {
  const person = await aPerson(tx);
  const step = await aTask({ caseId: (await aCase(tx, { personId: person.id })).id });
  const content = Buffer.from('evidence');
  await put(step, content, { as: await service.caller('reader', 'cases:read') }).expect(403);
  await put(step, content, { as: await service.caller(person.corporateEmail) }).expect(403);
  await put(step, content, { as: service.stranger }).expect(401);
  await put(await aTask({ state: 'done' }), content).expect(409);
  expect(await filesOf(step)).toEqual([]);
});

it('is seen by those who see cases, and of its own step only', async () => {
  const [step, other] = [await aTask(), await aTask()];
  const content = Buffer.from('evidence');
  await put(step, content).expect(201);
  await get(step, hashOf(content), await service.caller('reader', 'cases:read')).expect(200);
  await get(step, hashOf(content), await service.caller('hr', 'people:read')).expect(403);
  await get(step, hashOf(content), service.stranger).expect(401);
  await get(other, hashOf(content)).expect(404);
});

it('is attached, listed and saved at the command line, where the step is completed and confirmed too', async () => {
  const database = await createTestDatabase();
  const folder = await mkdtemp(join(inject('runFolder'), 'evidence-'));
  const env = {
    DATABASE_URL: database.url,
    QUARTERMASTER_KEY_FILE: join(folder, 'key.json'),
    QUARTERMASTER_ENVIRONMENT: 'test',
  };
  const run = async (...args: string[]) => {
    const lines: string[] = [];
    const say = (line: string) => void lines.push(line);
    return { code: await runCli(args, cliContext(env, say, say)), out: lines.join('\n') };
  };
  expect(await run('init')).toMatchObject({ code: 0 });
  const db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
  try {
    const { id: toolId } = await aTool(db.manager, { connector: 'manual', requiresSecondPerson: true });
    const { id } = await aStep(db.manager, { state: 'needs_human', toolId });
    const photo = join(folder, 'photo.jpg');
    await writeFile(photo, 'a photo');
    const sha256 = hashOf(Buffer.from('a photo'));

    expect(await run('step', 'attach', id, photo)).toEqual({ code: 0, out: `${sha256}  photo.jpg` });
    expect(await run('step', 'evidence', id)).toMatchObject({
      out: expect.stringMatching(/ {2}7 bytes .*photo\.jpg$/),
    });
    const saved = join(folder, 'saved.jpg');
    expect(await run('step', 'evidence', id, '--save', sha256, '--to', saved)).toMatchObject({ code: 0 });
    expect(await readFile(saved, 'utf8')).toBe('a photo');
    const again = await run('step', 'evidence', id, '--save', sha256, '--to', saved);
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining(`can't be written`) });
    expect(await run('step', 'attach', id, join(folder, 'nothing'))).toMatchObject({ code: 2 });

    expect(await run('step', 'complete', id, 'Did it.')).toEqual({ code: 0, out: `${id} is needs_human` });
    expect(await run('step', 'confirm', id, 'Saw it.')).toMatchObject({
      code: 1,
      out: expect.stringContaining('Another person'),
    });
    await db.query(`UPDATE steps SET attested_by = 'Grace', attested_by_id = 'admin:Grace' WHERE id = $1`, [id]);
    expect(await run('step', 'confirm', id, 'Saw it.')).toEqual({ code: 0, out: `${id} is done` });
  } finally {
    await db.destroy();
    await database.drop();
  }
});
