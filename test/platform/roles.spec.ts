import { Controller, Get } from '@nestjs/common';
import supertest from 'supertest';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/platform/ids/new-id.js';
import { Allow, CurrentActor } from '../../src/platform/sign-in/who-may-call.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { SCOPES, type Actor } from '../../src/platform/sign-in/actor.js';
import { RoleEditsModule } from '../../src/role-edits/role-edits.module.js';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import { AN_ADMIN } from '../factories/role-holders.js';
import { anIdentity } from '../factories/identities.js';
import { startApp, type TestApp } from './start-app.js';

@Controller('v1/things')
class ThingsController {
  @Get('company')
  @Allow('people:read')
  company(): string {
    return 'about everybody';
  }

  @Get('mine')
  @Allow('people:read', 'within-reach')
  mine(@CurrentActor() { reach }: Actor) {
    return { reach: reach ?? 'everywhere' };
  }
}

type Agent = ReturnType<typeof supertest.agent>;

describe('roles', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startApp([ThingsController], { features: [RoleEditsModule] });
  });
  afterAll(() => test?.close());
  beforeEach(() => test.db.query('DELETE FROM role_assignments'));

  const as = (token: string) => supertest.agent(test.app.getHttpServer()).set('Authorization', `Bearer ${token}`);
  const owner = async () => as((await test.token(...SCOPES)).token);
  /** As whoever sits at the server, past the second person. */
  const assign = (principal: string, role: Role) =>
    test.db.transaction((tx) =>
      test.app
        .get(RoleAssignments)
        .assign(tx, AN_ADMIN, { principal, role, department: null, location: null, toolId: null }),
    );
  const why = { reason: 'A new task.' };
  const give = async (admin: Agent, wish: object) =>
    (
      await admin
        .post('/v1/role-assignments')
        .send({ ...why, ...wish })
        .expect(200)
    ).body.assignment;
  const end = (admin: Agent, id: string) => admin.post(`/v1/role-assignments/${id}/end`).send(why);
  const rowsOf = (principal: string) =>
    test.db.query<{ action: string; facts: object }[]>(
      `SELECT action, facts FROM audit_entries WHERE subject_kind = 'principal' AND subject_id = $1 ORDER BY id`,
      [principal],
    );

  it('open from the next request on what they name, and nothing after their end', async () => {
    const admin = await owner();
    const { id, token } = await test.token();
    await as(token).get('/v1/things/company').expect(403);
    const assigned = await give(admin, { principal: id, role: 'viewer' });
    await as(token).get('/v1/things/company').expect(200);
    expect((await as(token).get('/v1/things/mine').expect(200)).body).toEqual({ reach: 'everywhere' });
    await end(admin, assigned.id).expect(200);
    await as(token).get('/v1/things/company').expect(403);
    await end(admin, assigned.id).expect(404);
    expect(await rowsOf(id)).toEqual([
      { action: 'role.assigned', facts: expect.objectContaining({ role: 'viewer', department: null }) },
      { action: 'role.ended', facts: { assignmentId: assigned.id, role: 'viewer' } },
    ]);
  });

  it('that are narrowed open only what heeds the narrowing, and tell it where', async () => {
    const admin = await owner();
    const { id, token } = await test.token();
    await give(admin, { principal: id, role: 'viewer', department: 'Sales' });
    expect((await as(token).get('/v1/things/mine').expect(200)).body).toEqual({
      reach: [{ department: 'Sales', location: null, toolId: null }],
    });
    const refused = await as(token).get('/v1/things/company').expect(403);
    expect(refused.body.detail).toContain('narrowed');
  });

  it('are listed, those that ended on demand; the same role again is the same assignment', async () => {
    const admin = await owner();
    const principal = await anIdentity(test.db.manager);
    const wish = { principal, role: 'helpdesk', department: 'Sales' };
    const first = await give(admin, wish);
    const again = await give(admin, { ...wish, department: 'SALES' });
    expect(again.id).toBe(first.id);
    const list = async (query: string) =>
      (await admin.get(`/v1/role-assignments?principal=${principal}${query}`).expect(200)).body.items;
    expect(await list('')).toMatchObject([
      { role: 'helpdesk', department: 'Sales', assignedBy: 'test', endedAt: null },
    ]);
    await end(admin, first.id).expect(200);
    expect(await list('')).toEqual([]);
    expect(await list('&ended=true')).toMatchObject([{ endedBy: 'test', endedAt: expect.any(String) }]);
  });

  it('keep the last owner who can sign in, also when two end at once', async () => {
    const admin = await owner();
    const ada = await assign(await anIdentity(test.db.manager), 'owner');
    const answer = await end(admin, ada.id).expect(409);
    expect(answer.body.detail).toContain('last owner');
    // A token doesn't count: nobody signs in with it.
    await assign((await test.token()).id, 'owner');
    await end(admin, ada.id).expect(409);

    const grace = await assign(await anIdentity(test.db.manager), 'owner');
    const both = await Promise.allSettled(
      [ada, grace].map(({ id }) => test.db.transaction((tx) => test.app.get(RoleAssignments).end(tx, AN_ADMIN, id))),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  it('are given by nobody who holds less', async () => {
    const weak = as((await test.token('roles:write', 'people:read')).token);
    const refused = await weak
      .post('/v1/role-assignments')
      .send({ ...why, principal: await anIdentity(test.db.manager), role: 'owner' })
      .expect(403);
    expect(refused.body.detail).toContain('more than they hold');
  });

  it('refuse who and what is not there, and an owner of a part', async () => {
    const admin = await owner();
    const refused = (wish: object) =>
      admin
        .post('/v1/role-assignments')
        .send({ ...why, ...wish })
        .expect(400);
    const somebody = await anIdentity(test.db.manager);
    expect((await refused({ principal: 'ada', role: 'viewer' })).body.errors[0].pointer).toBe('/principal');
    expect((await refused({ principal: newId(), role: 'viewer' })).body.detail).toContain('no API token');
    expect((await refused({ principal: `user:${newId()}`, role: 'viewer' })).body.detail).toContain('admitted');
    expect((await refused({ principal: somebody, role: 'king' })).body.errors[0].pointer).toBe('/role');
    expect((await refused({ principal: somebody, role: 'viewer', toolId: newId() })).body.detail).toContain('no tool');
    expect((await refused({ principal: somebody, role: 'owner', department: 'Sales' })).body.detail).toContain('owner');
  });

  it('are told with what they may do', async () => {
    const { body } = await (await owner()).get('/v1/roles').expect(200);
    expect(body.items).toContainEqual({
      role: 'connector-admin',
      purpose: expect.stringContaining('tools'),
      scopes: expect.arrayContaining(['tools:write']),
    });
  });
});
