import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TokenWatch } from '../../src/alerting/token-watch.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import { SCOPES, SYSTEM, type Actor, type Scope } from '../../src/platform/sign-in/actor.js';
import { ApiTokens } from '../../src/platform/sign-in/api-tokens.service.js';
import { SignInLinks } from '../../src/platform/sign-in/sign-in-links.service.js';
import { anIdentity } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { AN_ADMIN } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';
import { aTokenOwner } from '../factories/token-owners.js';

describe('API tokens over REST', () => {
  let service: ServiceApp;
  let admin: ReturnType<typeof supertest.agent>;
  beforeAll(async () => {
    service = await startServiceApp();
    admin = await signedIn(SCOPES);
  });
  afterAll(() => service?.close());

  /** A browser that opened a link from the server. */
  async function signedIn(scopes: readonly Scope[]) {
    const url = await service.db.transaction((tx) => service.app.get(SignInLinks).create(tx, SYSTEM, 'ada', scopes));
    const { origin, pathname } = new URL(url);
    const browser = supertest.agent(service.app.getHttpServer()).set('Origin', origin);
    await browser.post(pathname).expect(303);
    return browser;
  }
  const holding = (token: string) =>
    supertest.agent(service.app.getHttpServer()).set('Authorization', `Bearer ${token}`);
  const person = () => aPerson(service.db.manager);
  const make = async (wish: object, status = 201) =>
    (
      await admin
        .post('/v1/tokens')
        .send({ name: 'x', scopes: ['people:read'], ...wish })
        .expect(status)
    ).body;
  const listed = async (id: string) =>
    ((await admin.get('/v1/tokens').expect(200)).body.items as { id: string }[]).find((one) => one.id === id);
  const leave = (personId: string) => admin.post('/v1/leavers').send({ personId, reason: 'a test' }).expect(202);
  const ownerless = async () =>
    ((await admin.get('/v1/alerts?state=open').expect(200)).body.items as { kind: string; message: string }[]).filter(
      ({ kind }) => kind === 'service_ownerless',
    );

  it('are shown once, listed with their last use, and revoked', async () => {
    const owner = await person();
    const { id, token } = await make({ ownerPersonId: owner.id });
    const about = { scopes: ['people:read'], owner: owner.corporateEmail, ownerPersonId: owner.id, revokedAt: null };
    expect(await listed(id)).toMatchObject({ ...about, lastUsedAt: null });
    await holding(token).get('/v1/people').expect(200);
    expect(await listed(id)).toMatchObject({ ...about, lastUsedAt: expect.any(String) });
    expect(JSON.stringify(await listed(id))).not.toContain(token.slice(12));
    await admin.delete(`/v1/tokens/${id}`).expect(204);
    await holding(token).get('/v1/people').expect(401);
    await admin.delete(`/v1/tokens/${id}`).expect(404);
  });

  it('end after 90 days, or when somebody says, and never later than in a year', async () => {
    const ownerPersonId = (await person()).id;
    const days = async (wish: object) => {
      const { expiresAt } = (await listed((await make({ ownerPersonId, ...wish })).id)) as unknown as {
        expiresAt: string;
      };
      return Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000);
    };
    const inDays = (count: number) => ({ expiresAt: new Date(Date.now() + count * 86_400_000).toISOString() });
    expect(await days({})).toBe(90);
    expect(await days(inDays(7))).toBe(7);
    const refused = await make({ ownerPersonId, ...inDays(400) }, 400);
    expect(refused).toMatchObject({ detail: expect.stringContaining('365 days'), errors: [{ pointer: '/expiresAt' }] });
    await make({ ownerPersonId, expiresAt: null }, 400);
  });

  it('have one owner who is there', async () => {
    expect(JSON.stringify((await make({}, 400)).errors)).toContain('one of ownerPersonId and servicePrincipalId');
    expect((await make({ ownerPersonId: newId() }, 400)).detail).toContain('no person');
    expect((await make({ servicePrincipalId: newId() }, 400)).detail).toContain('no service');
    const gone = await aPerson(service.db.manager, { status: 'left' });
    expect((await make({ ownerPersonId: gone.id }, 400)).detail).toContain('have left');
  });

  it('do no more than who makes them, and make no others', async () => {
    const ownerPersonId = (await person()).id;
    const weak = await signedIn(['tokens:write', 'people:read']);
    const wish = { name: 'x', ownerPersonId };
    const refused = await weak
      .post('/v1/tokens')
      .send({ ...wish, scopes: ['people:read', 'tools:write'] })
      .expect(403);
    expect(refused.body.detail).toContain('tools:write');
    expect(refused.body.detail).not.toContain('people:read');
    const { body } = await weak
      .post('/v1/tokens')
      .send({ ...wish, scopes: ['tokens:write'] })
      .expect(201);
    await holding(body.token)
      .post('/v1/tokens')
      .send({ ...wish, scopes: [] })
      .expect(403);
  });

  it('of a person that a user made do what this user may still do, where they may', async () => {
    const grace: Actor = { kind: 'admin', id: await anIdentity(service.db.manager), name: 'Grace', scopes: [] };
    const assign = (role: 'viewer' | 'helpdesk', department: string | null) =>
      service.db.transaction((tx) =>
        service.app
          .get(RoleAssignments)
          .assign(tx, AN_ADMIN, { principal: grace.id, role, department, location: null, toolId: null }),
      );
    const everywhere = await assign('viewer', null);
    const wish = { name: 'x', scopes: ['people:read'] as const, owner: 'Grace', ownerPersonId: (await person()).id };
    const { token } = await service.db.transaction((tx) => service.app.get(ApiTokens).create(tx, grace, wish));
    const seen = async () => (await holding(token).get('/v1/people').expect(200)).body.items as object[];
    expect((await seen()).length).toBeGreaterThan(0);
    // Only what it was made for, although the user may do more.
    await holding(token).get('/v1/devices').expect(403);
    await assign('viewer', 'Nobody works here');
    await service.db.transaction((tx) => service.app.get(RoleAssignments).end(tx, AN_ADMIN, everywhere.id));
    expect(await seen()).toEqual([]);
    await service.db.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE principal = $1`, [
      grace.id,
    ]);
    await holding(token).get('/v1/people').expect(403);
  });

  it('of a person end with the leave of that person, at once', async () => {
    const owner = await person();
    const { id, token } = await make({ ownerPersonId: owner.id });
    const other = await make({ ownerPersonId: (await person()).id });
    await holding(token).get('/v1/people').expect(200);
    await leave(owner.id);
    await holding(token).get('/v1/people').expect(401);
    await holding(other.token).get('/v1/people').expect(200);
    const entries = await service.db.query<object[]>(`SELECT action, facts FROM audit_entries WHERE subject_id = $1`, [
      id,
    ]);
    expect(entries).toContainEqual(
      expect.objectContaining({ action: 'token.revoked', facts: { because: 'its owner leaves' } }),
    );
  });

  it('of a service go on when its owner leaves, and an alert asks for somebody else', async () => {
    const [owner, next] = [await person(), await person()];
    const wish = { name: 'HR dashboard', ownerPersonId: owner.id };
    const { body: dashboard } = await admin.post('/v1/service-principals').send(wish).expect(201);
    await admin.post('/v1/service-principals').send(wish).expect(409);
    const { id, token } = await make({ servicePrincipalId: dashboard.id });
    expect(await listed(id)).toMatchObject({ owner: 'HR dashboard', servicePrincipalId: dashboard.id });
    expect(await ownerless()).toEqual([]);
    await leave(owner.id);
    await holding(token).get('/v1/people').expect(200);
    expect(await ownerless()).toEqual([
      expect.objectContaining({ message: expect.stringContaining('“HR dashboard”') }),
    ]);

    const handOn = (to: string) =>
      admin.post(`/v1/service-principals/${dashboard.id}/hand-on`).send({ ownerPersonId: to });
    await handOn(owner.id).expect(409);
    expect((await handOn(next.id).expect(200)).body).toMatchObject({ ownerPersonId: next.id });
    expect(await ownerless()).toEqual([]);
    expect((await admin.get('/v1/service-principals').expect(200)).body.items).toEqual([
      expect.objectContaining({ name: 'HR dashboard', ownerPersonId: next.id }),
    ]);
  });

  it('from before, without an end and with an owner in words, go on, and people are told of them', async () => {
    const watch = service.app.get(TokenWatch);
    const unowned = async () =>
      service.db.query<{ message: string }[]>(
        `SELECT message FROM alerts WHERE kind = 'token_unowned' AND resolved_at IS NULL`,
      );
    const { id, token } = await make({ name: 'old', ownerPersonId: (await person()).id });
    await watch.look();
    expect(await unowned()).toEqual([]);
    await service.db.query(
      `UPDATE api_tokens SET expires_at = NULL, owner = 'the IT team', owner_person_id = NULL, bound_to = NULL WHERE id = $1`,
      [id],
    );
    await holding(token).get('/v1/people').expect(200);
    expect(await listed(id)).toMatchObject({ owner: 'the IT team', expiresAt: null, ownerPersonId: null });
    await watch.look();
    expect(await unowned()).toEqual([{ message: expect.stringContaining('1 API tokens from before') }]);
    await admin.delete(`/v1/tokens/${id}`).expect(204);
    await watch.look();
    expect(await unowned()).toEqual([]);
  });

  it('of a service that was made before there were people have a week to find somebody who answers for them', async () => {
    const wish = { name: 'x', scopes: ['people:read'] as const };
    const { servicePrincipalId } = await service.db.transaction(async (tx) => {
      const owner = await aTokenOwner(tx, 'at the start');
      await service.app.get(ApiTokens).create(tx, SYSTEM, { ...wish, ...owner });
      return owner;
    });
    const watch = service.app.get(TokenWatch);
    await watch.look();
    expect(await ownerless()).toEqual([]);
    await service.db.query(`UPDATE service_principals SET created_at = now() - interval '8 days' WHERE id = $1`, [
      servicePrincipalId,
    ]);
    await watch.look();
    expect(await ownerless()).toEqual([expect.objectContaining({ message: expect.stringContaining('at the start') })]);
    const handOn = { ownerPersonId: (await person()).id };
    await admin.post(`/v1/service-principals/${servicePrincipalId}/hand-on`).send(handOn).expect(200);
    expect(await ownerless()).toEqual([]);
  });
});
