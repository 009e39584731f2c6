import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Case } from '../../src/cases/case.entity.js';
import { Step } from '../../src/cases/step.entity.js';
import { ChangeFeed } from '../../src/changes/change-feed.service.js';
import type { Change } from '../../src/changes/visible-changes.js';
import { LossReport } from '../../src/lost-devices/reports/loss-report.entity.js';
import type { Permit } from '../../src/platform/roles/permit.js';
import { SCOPES, type Scope } from '../../src/platform/sign-in/actor.js';
import { liftBrakeLimits } from '../factories/brake-limits.js';
import { aStep } from '../factories/cases.js';
import { aDevice } from '../factories/devices.js';
import { aUser } from '../factories/identities.js';
import { anEmployment, aPerson } from '../factories/people.js';
import { aRoleHolder } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { waitFor } from '../support/wait-for.js';

let service: ServiceApp;
let address: string;
let admin: Awaited<ReturnType<ServiceApp['caller']>>;
const streams: Stream[] = [];
beforeAll(async () => {
  service = await startServiceApp();
  await service.app.listen(0, '127.0.0.1');
  address = `http://127.0.0.1:${(service.app.getHttpServer().address() as AddressInfo).port}`;
  await liftBrakeLimits(service.app);
  admin = await service.caller('Grace');
});
afterAll(async () => {
  for (const stream of streams) stream.close();
  await service?.close();
});

/** Listens as a page does, and keeps what it was told. */
class Stream {
  private readonly ending = new AbortController();
  text = '';

  static async open(headers: Record<string, string>, query = ''): Promise<Stream> {
    const stream = new Stream();
    streams.push(stream);
    const answer = await fetch(`${address}/v1/changes${query}`, {
      headers: { accept: 'text/event-stream', ...headers },
      signal: stream.ending.signal,
    });
    if (answer.headers.get('content-type') !== 'text/event-stream') throw new Error(`no stream: ${answer.status}`);
    void stream.read(answer);
    await waitFor('the stream listens', () => stream.text.includes('event: listening'));
    return stream;
  }

  private async read({ body }: Response): Promise<void> {
    try {
      for await (const chunk of body ?? []) this.text += Buffer.from(chunk).toString('utf8');
    } catch {
      // Closed by the test.
    }
  }

  has(kind: string, id: string): boolean {
    return this.text.includes(JSON.stringify({ kind, id }));
  }

  close(): void {
    this.ending.abort();
  }
}

async function somebody(department: string) {
  const tx = service.db.manager;
  const person = await aPerson(tx);
  await anEmployment(tx, { personId: person.id, department, startAppliedAt: new Date() });
  return { person, laptop: await aDevice(tx, { holderId: person.id }) };
}

const lose = async ({ laptop }: { laptop: { id: string } }): Promise<string> =>
  (await admin.post('/v1/lost-devices').send({ deviceId: laptop.id }).expect(202)).body.caseId as string;

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('who listens for changes', () => {
  it('is told of a decision within a moment, by kind and id and nothing else', async () => {
    const owner = await aUser(service.app, 'owner');
    const stream = await Stream.open(owner.headers);
    const ada = await somebody('Engineering');
    const caseId = await lose(ada);
    await waitFor('the case is told', () => stream.has('case', caseId));
    await waitFor('the device is told', () => stream.has('device', ada.laptop.id));
    expect(stream.text).not.toContain(ada.person.displayName);
    expect(stream.text).not.toContain(ada.laptop.assetTag);
  });

  it('is told of each move of the steps of a case that they look at', async () => {
    const { id, caseId } = await aStep(service.db.manager);
    const { token } = await aRoleHolder(service.app, 'viewer');
    const stream = await Stream.open(bearer(token), `?cases=${caseId}`);
    expect(stream.has('case', caseId)).toBe(false);
    await service.db.manager.update(Step, { id }, { failures: 1 });
    await waitFor('the move is told', () => stream.has('case', caseId));
  });

  it('is told of a move that was made just before somebody else looked at the same case', async () => {
    const { id, caseId } = await aStep(service.db.manager);
    const { token } = await aRoleHolder(service.app, 'viewer');
    const stream = await Stream.open(bearer(token), `?cases=${caseId}`);
    await service.db.manager.update(Step, { id }, { failures: 1 });
    await Stream.open(bearer(token), `?cases=${caseId}`);
    await waitFor('the move is told', () => stream.has('case', caseId));
  });

  it('is refused while the database is away, and told of everything once it is back', async () => {
    const db = new DataSource(service.db.options);
    const feed = new ChangeFeed(db, await service.app.resolve(PinoLogger));
    const told: Change[] = [];
    const listener = {
      actorId: 'user:ada',
      permits: new Map<Scope, Permit>([['cases:read', { scopes: SCOPES }]]),
      cases: [],
      tell: (changes: readonly Change[]) => void told.push(...changes),
      end: () => undefined,
    };
    const refused = await Promise.allSettled([feed.listen({ ...listener }), feed.listen({ ...listener })]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await db.initialize();
    try {
      await feed.listen(listener);
      const id = await lose(await somebody('Engineering'));
      await waitFor('the case is told', () => told.some((change) => change.id === id));
    } finally {
      feed.onModuleDestroy();
      await db.destroy();
    }
  });

  it('is told of nothing out of their reach, and of nothing that they may not read', async () => {
    const [sales, engineering] = [await somebody('Sales'), await somebody('Engineering')];
    const narrowed = await aRoleHolder(service.app, 'security', { department: 'Sales' });
    const connectors = await aRoleHolder(service.app, 'connector-admin');
    const [ofSales, ofTools] = await Promise.all([
      Stream.open(bearer(narrowed.token)),
      Stream.open(bearer(connectors.token)),
    ]);
    const [theirs, ours] = [await lose(engineering), await lose(sales)];
    await waitFor('the case within reach is told', () => ofSales.has('case', ours));
    expect(ofSales.text).not.toContain(theirs);
    expect(ofSales.text).not.toContain(engineering.laptop.id);
    expect(ofTools.text).not.toContain(ours);
    expect(await service.db.manager.countBy(Case, { id: ours })).toBe(1);
  });

  it('is told of what was said at /lost only when they may report losses of everybody', async () => {
    const helpdesk = await aRoleHolder(service.app, 'helpdesk');
    const narrowed = await aRoleHolder(service.app, 'helpdesk', { department: 'Sales' });
    const [all, ofSales] = await Promise.all([
      Stream.open(bearer(helpdesk.token)),
      Stream.open(bearer(narrowed.token)),
    ]);
    const email = 'somebody@acme.example';
    await service.stranger.post('/lost/report').type('form').send({ email }).expect(200);
    const { id } = await service.db.manager.findOneByOrFail(LossReport, { email });
    await waitFor('the report is told', () => all.has('loss-report', id));
    // What is decided later is told later, to both: by then the report would have been told, too.
    const caseId = await lose(await somebody('Sales'));
    await waitFor('the case within reach is told', () => ofSales.has('case', caseId));
    expect(ofSales.text).not.toContain(id);
    expect(all.text).not.toContain(email);
  });

  it('has to be signed in, to do something here, and to ask for a stream', async () => {
    await service.stranger.get('/v1/changes').set('Accept', 'text/event-stream').expect(401);
    const nobody = await service.caller('Nobody', 'metrics:read');
    await nobody.get('/v1/changes').expect(400);
    await admin.get('/v1/changes?cases=all').set('Accept', 'text/event-stream').expect(400);
  });

  it('has a dozen streams at a time', async () => {
    const { headers } = await aUser(service.app, 'viewer');
    const mine = await Promise.all(Array.from({ length: 12 }, async () => Stream.open(headers)));
    const refused = await fetch(`${address}/v1/changes`, { headers: { accept: 'text/event-stream', ...headers } });
    expect(refused.status).toBe(429);
    for (const stream of mine) stream.close();
  });

  it('listens no more once they went away, also when that was before they were answered', async () => {
    const { headers } = await aUser(service.app, 'viewer');
    for (let gone = 0; gone < 24; gone += 1) {
      await new Promise<void>((resolve) => {
        const request = get(`${address}/v1/changes`, { headers: { accept: 'text/event-stream', ...headers } });
        service.app.getHttpServer().once('request', () => request.destroy());
        request.once('error', () => undefined).once('close', resolve);
      });
    }
    await waitFor('there is room for another stream', async () => (await Stream.open(headers)).text.length > 0);
  });
});

describe('who asks who they are', () => {
  it('reads their name and what they may do, and where', async () => {
    const { token } = await aRoleHolder(service.app, 'viewer', { department: 'Sales' });
    const { body } = await service.stranger.get('/v1/caller').set(bearer(token)).expect(200);
    expect(body).toMatchObject({ cameBy: 'token', environment: 'test' });
    expect(body.scopes).toContainEqual({ scope: 'people:read', everywhere: false });
    expect(body.scopes.map(({ scope }: { scope: string }) => scope)).not.toContain('people:write');
  });

  it('is refused with what to do when they may do nothing', async () => {
    const { token, assignmentId } = await aRoleHolder(service.app, 'viewer');
    await service.db.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE id = $1`, [
      assignmentId,
    ]);
    const { body } = await service.stranger.get('/v1/caller').set(bearer(token)).expect(403);
    expect(body.detail).toContain('gives a role to');
  });
});
