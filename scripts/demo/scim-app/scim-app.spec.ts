import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startScimApp, type ScimApp } from './scim-app.js';

const TOKEN = 'the-scim-token';
const USER = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ada', password: 'first-password' };

let folder: string;
let app: ScimApp;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scim-app-spec-'));
  app = await startScimApp({ folder, port: 0, scimToken: TOKEN, groups: ['engineering'] });
});
afterEach(async () => {
  await app.close();
  await rm(folder, { recursive: true });
});

function scim(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.url}/scim/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

function patch(id: string, path: string, value: unknown, headers?: Record<string, string>): Promise<Response> {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:PatchOp'];
  return scim('PATCH', `/Users/${id}`, { schemas, Operations: [{ op: 'replace', path, value }] }, headers);
}

interface ShownUser {
  id: string;
  active: boolean;
  meta: { version: string; lastModified: string };
}

async function createAda(): Promise<ShownUser> {
  const response = await scim('POST', '/Users', USER);
  expect(response.status).toBe(201);
  return (await response.json()) as ShownUser;
}

async function signIn(password: string): Promise<{ status: number; token: string }> {
  const body = JSON.stringify({ userName: 'ada', password });
  const response = await fetch(`${app.url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const { token = '' } = (await response.json()) as { token?: string };
  return { status: response.status, token };
}

async function me(token: string): Promise<number> {
  return (await fetch(`${app.url}/me`, { headers: { authorization: `Bearer ${token}` } })).status;
}

it('lets a person in until they are suspended', async () => {
  const { id } = await createAda();
  const { token } = await signIn('first-password');
  expect(await me(token)).toBe(200);
  expect((await signIn('wrong')).status).toBe(401);

  await patch(id, 'active', false);

  expect(await me(token)).toBe(401);
  expect((await signIn('first-password')).status).toBe(401);
});

it('keeps a token from before a reset dead after the person is let in again', async () => {
  const { id } = await createAda();
  const { token } = await signIn('first-password');
  await patch(id, 'active', false);
  await patch(id, 'password', 'second-password');
  await patch(id, 'active', true);
  expect(await me(token)).toBe(401);
  expect((await signIn('first-password')).status).toBe(401);
  const fresh = await signIn('second-password');
  expect(await me(fresh.token)).toBe(200);
});

it('behaves like the many tools whose old token works again after a suspension without a reset', async () => {
  const { id } = await createAda();
  const { token } = await signIn('first-password');
  await patch(id, 'active', false);
  expect(await me(token)).toBe(401);
  await patch(id, 'active', true);
  expect(await me(token)).toBe(200);
});

it('kills the tokens of a person who is removed', async () => {
  const { id } = await createAda();
  const { token } = await signIn('first-password');
  expect((await scim('DELETE', `/Users/${id}`)).status).toBe(204);
  expect(await me(token)).toBe(401);
  expect((await scim('GET', `/Users/${id}`)).status).toBe(404);
});

it('keeps its data, and its people’s tokens, over a restart; and no password', async () => {
  await createAda();
  const { token } = await signIn('first-password');
  await app.close();
  const written = await readFile(join(folder, 'directory.json'), 'utf8');
  expect(written).not.toContain('first-password');
  expect(written).not.toContain(token);
  app = await startScimApp({ folder, port: 0, scimToken: TOKEN, groups: ['engineering'] });
  expect(await me(token)).toBe(200);
  const groups = (await (await scim('GET', '/Groups')).json()) as { totalResults: number };
  expect(groups.totalResults).toBe(1);
});

it('refuses a user name that is taken, in whatever case', async () => {
  await createAda();
  const response = await scim('POST', '/Users', { ...USER, userName: 'ADA' });
  expect(response.status).toBe(409);
  expect(await response.json()).toMatchObject({ scimType: 'uniqueness' });
});

it('gives a changed user a new version, an unchanged one none, and refuses a change to an old version', async () => {
  const created = await createAda();
  await patch(created.id, 'active', true);
  const same = (await (await scim('GET', `/Users/${created.id}`)).json()) as ShownUser;
  expect(same.meta).toEqual(created.meta);
  await patch(created.id, 'password', 'second-password');
  const changed = (await (await scim('GET', `/Users/${created.id}`)).json()) as ShownUser;
  expect(changed.meta.version).not.toBe(created.meta.version);

  const late = await patch(created.id, 'active', false, { 'if-match': created.meta.version });

  expect(late.status).toBe(412);
  expect((await scim('GET', `/Users/${created.id}`)).status).toBe(200);
  expect(await me((await signIn('second-password')).token)).toBe(200);
});

it('never shows a password, and lets nobody provision without the token', async () => {
  const { id } = await createAda();
  expect(await (await scim('GET', `/Users/${id}`)).text()).not.toContain('assword');
  for (const authorization of ['', 'Bearer wrong']) {
    expect((await scim('GET', '/Users', undefined, { authorization })).status).toBe(401);
    expect((await scim('DELETE', `/Users/${id}`, undefined, { authorization })).status).toBe(401);
  }
  expect((await scim('GET', `/Users/${id}`)).status).toBe(200);
});
