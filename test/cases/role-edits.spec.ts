import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntityManager } from 'typeorm';
import { RoleAssignments } from '../../src/platform/roles/role-assignments.service.js';
import type { Role } from '../../src/platform/roles/roles.js';
import { RoleEdits } from '../../src/role-edits/role-edits.service.js';
import { anIdentity, aUser, type User } from '../factories/identities.js';
import { aPerson } from '../factories/people.js';
import { AN_ADMIN } from '../factories/role-holders.js';
import { startServiceApp, type ServiceApp } from '../factories/service-app.js';

describe('who may do what, where there are two owners', () => {
  let service: ServiceApp;
  let tx: EntityManager;
  let ada: User;
  let grace: User;
  beforeAll(async () => {
    service = await startServiceApp();
    tx = service.db.manager;
  });
  afterAll(() => service?.close());
  beforeEach(async () => {
    await service.db.query('DELETE FROM role_assignments');
    ada = await aUser(service.app, 'owner', { name: 'Ada' });
    grace = await aUser(service.app, 'owner', { name: 'Grace' });
  });

  const give = async ({ agent }: User, principal: string, role: Role) =>
    (await agent.post('/v1/role-assignments').send({ principal, role, reason: 'She joins us.' }).expect(200)).body;
  const end = async ({ agent }: User, id: string) =>
    (await agent.post(`/v1/role-assignments/${id}/end`).send({ reason: 'Another task.' }).expect(200)).body;
  const approve = ({ agent }: User, id: string) => agent.post(`/v1/approvals/${id}/approve`).send({});
  const rolesOf = async (principal: string) =>
    (await service.app.get(RoleAssignments).list({ principal }, { after: null, limit: 9 })).map(({ role }) => role);

  it('is said by one and approved by the other, and is exactly what was asked', async () => {
    const linus = await aUser(service.app, null, { name: 'Linus' });
    const { assignment, approval } = await give(ada, linus.principal, 'helpdesk');
    expect(assignment).toBeNull();
    expect(approval.plan).toMatchObject({ principal: linus.principal, role: 'helpdesk', department: null });
    expect(await rolesOf(linus.principal)).toEqual([]);
    await approve(ada, approval.id).expect(403);
    await approve(grace, approval.id).expect(200);
    expect(await rolesOf(linus.principal)).toEqual(['helpdesk']);
    const [given] = await service.db.query<{ context: object; actor_id: string }[]>(
      `SELECT actor_id, context FROM audit_entries WHERE action = 'role.assigned' ORDER BY id DESC LIMIT 1`,
    );
    expect(given).toMatchObject({
      actor_id: grace.principal,
      context: { approvalId: approval.id, via: 'rest', requestId: expect.any(String) },
    });

    const asked = await end(ada, approval.targetId);
    expect(await rolesOf(linus.principal)).toEqual(['helpdesk']);
    await approve(grace, asked.approval.id).expect(200);
    expect(await rolesOf(linus.principal)).toEqual([]);
  });

  it('finds whom a role can be given to by what they are called, without the provider’s own id of them', async () => {
    const linus = await aUser(service.app, null, { name: 'Linus' });
    const { body } = await ada.agent.get('/v1/sign-in-identities').expect(200);
    const found = body.items.find(({ principal }: { principal: string }) => principal === linus.principal);
    expect(found).toMatchObject({ name: 'Linus', personId: null, withdrawnAt: null });
    expect(found).not.toHaveProperty('subject');
    await linus.agent.get('/v1/sign-in-identities').expect(403);
  });

  it('is approved by nobody whom it is about, also by another sign-in of theirs', async () => {
    const { id: personId } = await aPerson(tx);
    const linus = await aUser(service.app, 'approver', { personId });
    const other = await anIdentity(tx, { personId });
    for (const principal of [linus.principal, other]) {
      const { approval } = await give(ada, principal, 'owner');
      const refused = await approve(linus, approval.id).expect(403);
      expect(refused.body.detail).toContain('themselves');
    }
  });

  it('is not done when who asked may not give it any more', async () => {
    const linus = await anIdentity(tx);
    const { approval } = await give(ada, linus, 'security');
    await service.db.query(`UPDATE role_assignments SET ended_at = now(), ended_by = 'a test' WHERE principal = $1`, [
      ada.principal,
    ]);
    const refused = await approve(grace, approval.id).expect(403);
    expect(refused.body.detail).toContain('more than they hold');
    expect(await rolesOf(linus)).toEqual([]);
  });

  it('is changed by one as long as there is one owner, and two sign-ins of one person are one', async () => {
    const { id: personId } = await aPerson(tx);
    await service.db.query('DELETE FROM role_assignments');
    const margaret = await aUser(service.app, 'owner', { personId });
    const again = await anIdentity(tx, { personId });
    expect((await give(margaret, again, 'owner')).assignment).toMatchObject({ role: 'owner' });
    const second = await anIdentity(tx);
    expect((await give(margaret, second, 'owner')).assignment).toMatchObject({ role: 'owner' });
    expect((await give(margaret, await anIdentity(tx), 'viewer')).approval).toMatchObject({ state: 'waiting' });
  });

  it('ends with the sign-in of somebody who is withdrawn or leaves, and takes nobody’s approval', async () => {
    const { id: personId } = await aPerson(tx);
    const leaver = await aUser(service.app, 'owner', { personId });
    await ada.agent.post('/v1/leavers').send({ personId, reason: 'Dismissed.' }).expect(202);
    expect(await rolesOf(leaver.principal)).toEqual([]);
    await leaver.agent.get('/v1/people').expect(401);
    const [ended] = await service.db.query<object[]>(
      `SELECT facts FROM audit_entries WHERE action = 'role.ended' AND subject_id = $1`,
      [leaver.principal],
    );
    expect(ended).toMatchObject({ facts: { role: 'owner', because: 'the person leaves' } });
  });

  it('needs a person: whoever sits at the server asks as well', async () => {
    const wish = { principal: await anIdentity(tx), role: 'viewer', department: null, location: null, toolId: null };
    const edit = await service.app.get(RoleEdits).assign({ ...wish, role: 'viewer' }, 'At the server.', AN_ADMIN);
    expect(edit.approval).toMatchObject({ requestedById: AN_ADMIN.id, state: 'waiting' });
    // The same name as who sits there is the same person; another one is not.
    await approve(ada, edit.approval?.id ?? '').expect(403);
    await approve(grace, edit.approval?.id ?? '').expect(200);
    expect(await rolesOf(wish.principal)).toEqual(['viewer']);
  });
});
