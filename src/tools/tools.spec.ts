import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callWithin } from '../../connectors/kit/deadline.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { aFakeConnector } from '../../test/factories/connectors.js';
import { startRecordsApp, type RecordsApp } from '../../test/factories/records-app.js';
import { aTool } from '../../test/factories/tools.js';
import { AuditEntry } from '../platform/audit/audit-entry.entity.js';
import { Secret } from '../platform/crypto/secret.entity.js';
import { ToolBudget } from './tool-budget.entity.js';
import { ToolSessions } from './tool-sessions.service.js';
import { Tool } from './tool.entity.js';

const CANARY = 'canary-token-5f2c';
let answer: () => Promise<{ principal: string; version: null; missing: [] }>;
const connector = aFakeConnector(() => answer());
let records: RecordsApp;
let api: Awaited<ReturnType<RecordsApp['caller']>>;
let number = 0;

beforeAll(async () => {
  records = await startRecordsApp([connector]);
  api = await records.caller('tools:read', 'tools:write');
});
afterAll(() => records?.close());

const tool = (with_: object = {}) => ({
  key: `tool-${(number += 1)}`,
  name: 'Chat',
  connector: 'fake',
  environment: 'test',
  settings: { url: 'https://chat.example/scim' },
  secrets: { token: CANARY },
  owners: ['Owner@acme.example'],
  ...with_,
});
const call = () => callWithin(5000);

describe('/v1/tools', () => {
  it('takes a tool with the settings that its connector wants, and never shows a secret again', async () => {
    const made = await api.post('/v1/tools').send(tool()).expect(201);
    expect(made.body).toMatchObject({
      settings: { url: 'https://chat.example/scim', pageSize: 100 },
      secrets: ['token'],
      usernameFrom: 'local-part',
      owners: ['owner@acme.example'],
      maxConcurrency: 8,
      callsPerSecond: 20,
      state: 'active',
    });
    const seen = await api.get(`/v1/tools/${made.body.id}`).expect(200);
    expect(seen.headers['etag']).toBe('"1"');
    expect(JSON.stringify([made.body, seen.body])).not.toContain(CANARY);
    expect(records.log()).not.toContain(CANARY);
    const entry = await records.db.manager.findOneByOrFail(AuditEntry, {
      action: 'tool.created',
      subjectId: made.body.id,
    });
    expect(JSON.stringify(entry)).not.toContain(CANARY);
  });

  it('tells all that is wrong with settings and secrets, each with its place', async () => {
    const wrong = await api
      .post('/v1/tools')
      .send(tool({ settings: { url: 'chat', pageSize: 0 } }))
      .expect(400);
    expect(wrong.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/settings/url',
      '/settings/pageSize',
    ]);
    const missing = await api
      .post('/v1/tools')
      .send(tool({ secrets: {} }))
      .expect(400);
    expect(missing.body.errors).toMatchObject([{ pointer: '/secrets/token' }]);
    await api
      .post('/v1/tools')
      .send(tool({ secrets: { token: 'x', extra: 'y' } }))
      .expect(400);
    const unknown = await api
      .post('/v1/tools')
      .send(tool({ connector: 'faxmachine' }))
      .expect(400);
    expect(unknown.body.detail).toContain('there are fake');
  });

  it('keeps test and production apart', async () => {
    const refused = await api
      .post('/v1/tools')
      .send(tool({ environment: 'production' }))
      .expect(400);
    expect(refused.body.detail).toContain('This is a test installation: it takes no production tool.');
  });

  it('refuses a second tool of one key', async () => {
    const first = tool();
    await api.post('/v1/tools').send(first).expect(201);
    await api
      .post('/v1/tools')
      .send(tool({ key: first.key }))
      .expect(409);
  });

  it('wants the secret again for another host: whoever may change settings doesn’t get it sent', async () => {
    const { body } = await api.post('/v1/tools').send(tool()).expect(201);
    const patch = (etag: string, change: object) =>
      api.patch(`/v1/tools/${body.id}`).set('If-Match', etag).send(change);
    await patch('"1"', { settings: { url: 'https://chat.example/v2' } }).expect(200);
    const refused = await patch('"2"', { settings: { url: 'https://evil.example/' } }).expect(400);
    expect(refused.body.errors).toMatchObject([{ pointer: '/secrets/token' }]);
    const old = (await records.db.manager.findOneByOrFail(Tool, { id: body.id })).secretIds.ids['token'];
    await patch('"2"', { settings: { url: 'https://new.example/' }, secrets: { token: 'another' } }).expect(200);
    expect(await records.db.manager.existsBy(Secret, { id: old })).toBe(false);
    const { session } = await records.app.get(ToolSessions).open(body.id, call());
    await session.close();
    expect(connector.opened.at(-1)?.connection).toMatchObject({
      secrets: { token: 'another' },
      secretsSavedFor: 'https://new.example',
      settings: { url: 'https://new.example/', pageSize: 100 },
    });
    await patch('"2"', { name: 'Too late' }).expect(412);
  });

  it('divides changed limits anew and never fills the bucket by it', async () => {
    const { body } = await api
      .post('/v1/tools')
      .send(tool({ maxConcurrency: 20, callsPerSecond: 40 }))
      .expect(201);
    await records.db.manager.update(ToolBudget, { toolId: body.id, share: 'shared' }, { allowance: 0 });
    const changed = await api
      .patch(`/v1/tools/${body.id}`)
      .set('If-Match', '"1"')
      .send({ maxConcurrency: 4 })
      .expect(200);
    expect(changed.body).toMatchObject({ maxConcurrency: 4, callsPerSecond: 40 });
    const shared = await records.db.manager.findOneByOrFail(ToolBudget, { toolId: body.id, share: 'shared' });
    expect(shared).toMatchObject({ concurrency: 2, allowance: 0 });
  });

  it('can be paused and resumed', async () => {
    const { id } = await aTool(records.db.manager);
    const paused = await api
      .post(`/v1/tools/${id}/pause`)
      .send({ reason: 'maintenance', until: '2099-01-01T00:00:00Z' })
      .expect(200);
    expect(paused.body).toMatchObject({
      state: 'paused',
      pauseReason: 'maintenance',
      pausedUntil: '2099-01-01T00:00:00.000Z',
    });
    const list = await api.get('/v1/tools').query({ state: 'paused' }).expect(200);
    expect(list.body.items.map((one: { id: string }) => one.id)).toEqual([id]);
    const resumed = await api.post(`/v1/tools/${id}/resume`).expect(200);
    expect(resumed.body).toMatchObject({ state: 'active', pauseReason: null, pausedUntil: null });
  });

  it('asks the tool itself who we are there, closes the connection, and records both', async () => {
    const { body } = await api.post('/v1/tools').send(tool()).expect(201);
    expect(body).toMatchObject({ ownPrincipal: null, checkedAt: null });
    answer = async () => ({ principal: 'svc-qm', version: null, missing: [] });
    const check = await api.post(`/v1/tools/${body.id}/check`).expect(200);
    expect(check.body).toMatchObject({ answered: true, principal: 'svc-qm', problem: null });
    expect(check.body.capabilities).toContainEqual({ capability: 'check', permission: 'read' });
    expect(connector.opened.at(-1)?.closed).toBe(true);
    const after = await api.get(`/v1/tools/${body.id}`).expect(200);
    expect(after.body.ownPrincipal).toBe('svc-qm');
    expect(after.body.checkedAt).not.toBeNull();
  });

  it('answers a check that failed with what went wrong and what to do', async () => {
    const { body } = await api.post('/v1/tools').send(tool()).expect(201);
    answer = async () => {
      throw new ToolError('auth-broken', 'The token is not accepted.', { remedy: 'Make a new one.' });
    };
    const check = await api.post(`/v1/tools/${body.id}/check`).expect(200);
    expect(check.body).toMatchObject({
      answered: false,
      principal: null,
      problem: { kind: 'auth-broken', message: 'The token is not accepted.', remedy: 'Make a new one.' },
    });
    expect(connector.opened.at(-1)?.closed).toBe(true);
  });
});

describe('ToolSessions', () => {
  it('never touches a tool of the other environment, whatever stands in the database', async () => {
    const { id } = await aTool(records.db.manager, { environment: 'production' });
    const before = connector.opened.length;
    await expect(records.app.get(ToolSessions).open(id, call())).rejects.toMatchObject({
      name: 'ToolError',
      kind: 'invalid',
    });
    expect(connector.opened).toHaveLength(before);
  });

  it('says that the sign-in is broken when a secret can’t be opened', async () => {
    const { id } = await aTool(records.db.manager, {
      secretIds: { ids: { token: '00000000-0000-7000-8000-000000000000' }, savedFor: null },
    });
    await expect(records.app.get(ToolSessions).open(id, call())).rejects.toMatchObject({ kind: 'auth-broken' });
  });
});

describe('/v1/connectors', () => {
  it('describe their settings for a form', async () => {
    const { body } = await api.get('/v1/connectors').expect(200);
    expect(body.items).toMatchObject([
      { id: 'fake', secrets: { token: 'A token' }, settings: { type: 'object', required: ['url'] } },
    ]);
  });
});
