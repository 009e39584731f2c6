import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '../../src/data-source.js';
import { AuditEntry } from '../../src/platform/audit/audit-entry.entity.js';
import { AuditPersonalField } from '../../src/platform/audit/audit-personal-field.entity.js';
import { commitmentTo } from '../../src/platform/audit/audit-statement.js';
import { AuditService } from '../../src/platform/audit/audit.service.js';
import { newId } from '../../src/platform/ids/new-id.js';
import type { Actor } from '../../src/platform/sign-in/actor.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const ADA: Actor = { kind: 'admin', id: 'admin:ada', name: 'ada', scopes: [] };

describe('the audit log', () => {
  let database: TestDatabase;
  let db: DataSource;
  const audit = new AuditService();

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await createDataSource({ url: database.url, applicationName: 'test' }).initialize();
  });
  afterAll(async () => {
    await db?.destroy();
    await database?.drop();
  });

  it('keeps personal data apart: the entry only commits to it', async () => {
    const subject = { kind: 'person', id: newId() };
    const [caseId, stepId] = [newId(), newId()];
    const personal = { email: 'ada@example.com', name: "Ada O'Neil" };
    await db.transaction((tx) =>
      audit.record(tx, ADA, 'person.hired', { subject, caseId, stepId, facts: { tools: 3 }, personal }),
    );

    const entry = await db.manager.findOneByOrFail(AuditEntry, { subjectId: subject.id });
    expect(entry).toMatchObject({
      action: 'person.hired',
      actorKind: 'admin',
      actorId: 'admin:ada',
      subjectKind: 'person',
      caseId,
      stepId,
      facts: { tools: 3 },
      leafIndex: null,
    });
    expect(JSON.stringify(entry)).not.toContain('example.com');
    const fields = await db.manager.findBy(AuditPersonalField, { entryId: entry.id });
    expect(Object.fromEntries(fields.map(({ name, value }) => [name, value]))).toEqual(personal);
    for (const { name, salt, value } of fields) {
      expect(salt).toHaveLength(32);
      expect(entry.commitments[name]).toBe(commitmentTo(salt, value));
    }
  });

  it('commits to the same value differently each time, so that nobody can guess it', async () => {
    const subject = { kind: 'person', id: newId() };
    for (const action of ['a.b', 'a.c'])
      await audit.record(db.manager, ADA, action, { subject, personal: { email: 'x@y.z' } });
    const [one, two] = await db.manager.findBy(AuditEntry, { subjectId: subject.id });
    expect(one?.commitments['email']).toMatch(/^[0-9a-f]{64}$/);
    expect(one?.commitments['email']).not.toBe(two?.commitments['email']);
  });

  it('tells from where, for whom, why, with which approval, and what was before and after', async () => {
    const subject = { kind: 'person', id: newId() };
    const from = { via: 'rest', requestId: 'r1', address: '192.0.2.7', onBehalfOf: 'grace@acme.example' } as const;
    await audit.record(db.manager, { ...ADA, from }, 'person.changed', {
      subject,
      before: { status: 'expected' },
      after: { status: 'active' },
      approvalId: 'a1',
      reason: 'Ada began early',
    });
    const entry = await db.manager.findOneByOrFail(AuditEntry, { subjectId: subject.id });
    expect(entry.context).toEqual({
      via: 'rest',
      requestId: 'r1',
      approvalId: 'a1',
      before: { status: 'expected' },
      after: { status: 'active' },
    });
    const fields = await db.manager.findBy(AuditPersonalField, { entryId: entry.id });
    expect(Object.fromEntries(fields.map(({ name, value }) => [name, value]))).toEqual({
      address: '192.0.2.7',
      onBehalfOf: 'grace@acme.example',
      reason: 'Ada began early',
    });
    const plain = { kind: 'person', id: newId() };
    await audit.record(db.manager, ADA, 'person.changed', { subject: plain });
    expect(await db.manager.findOneByOrFail(AuditEntry, { subjectId: plain.id })).toMatchObject({ context: null });
  });

  it('tells it of each of many entries, too', async () => {
    const subjects = [newId(), newId()].map((id) => ({ kind: 'person', id }));
    const from = { via: 'rest', requestId: 'r2', address: '192.0.2.8' } as const;
    const entries = subjects.map((subject) => ({ subject }));
    await audit.recordAll(db.manager, { ...ADA, from }, 'step.waived', entries);
    await audit.recordAll(db.manager, { ...ADA, from: { via: 'webhook', requestId: 'r3' } }, 'step.done', entries);
    for (const { id } of subjects) {
      const [waived, done] = await db.manager.find(AuditEntry, { where: { subjectId: id }, order: { action: 'DESC' } });
      expect(waived).toMatchObject({ action: 'step.waived', context: { via: 'rest', requestId: 'r2' } });
      expect(waived?.commitments).toHaveProperty('address');
      expect(done).toMatchObject({ action: 'step.done', context: { via: 'webhook', requestId: 'r3' } });
    }
  });

  it('has no entry of what was rolled back', async () => {
    const subject = { kind: 'person', id: newId() };
    const work = db.transaction(async (tx) => {
      await audit.record(tx, ADA, 'person.hired', { subject });
      expect(await tx.countBy(AuditEntry, { subjectId: subject.id })).toBe(1);
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await db.manager.countBy(AuditEntry, { subjectId: subject.id })).toBe(0);
  });

  it('can not be changed or deleted; personal data can be erased and not edited', async () => {
    const subject = { kind: 'person', id: newId() };
    await audit.record(db.manager, ADA, 'person.hired', { subject, personal: { email: 'x@y.z' } });
    const { id } = await db.manager.findOneByOrFail(AuditEntry, { subjectId: subject.id });
    await expect(db.query(`UPDATE audit_entries SET actor_id = 'eve' WHERE id = $1`, [id])).rejects.toThrow(
      /never changed/,
    );
    await expect(db.query(`DELETE FROM audit_entries WHERE id = $1`, [id])).rejects.toThrow(/never changed/);
    await expect(db.query(`UPDATE audit_personal_fields SET value = '' WHERE entry_id = $1`, [id])).rejects.toThrow(
      /never edited/,
    );
    await db.query(`DELETE FROM audit_personal_fields WHERE entry_id = $1`, [id]);
    expect((await db.manager.findOneByOrFail(AuditEntry, { id })).commitments).toHaveProperty('email');
  });
});
