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
