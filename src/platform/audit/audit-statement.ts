import { createHash, randomBytes } from 'node:crypto';
import { prepared } from '../database/prepared.js';
import { newId } from '../ids/new-id.js';
import type { Actor } from '../sign-in/actor.js';

export interface AuditRecord {
  subject?: { kind: string; id: string };
  caseId?: string;
  stepId?: string;
  /** Facts that name no person and hold no secret: they stay for good. */
  facts?: Record<string, unknown>;
  /** Personal data by name: erasable, since the entry itself holds commitments only. */
  personal?: Record<string, string>;
}

export interface SqlStatement {
  sql: string;
  parameters: unknown[];
}

/**
 * One statement that writes an entry with its personal fields, for paths that batch their SQL.
 * @param change the change that the entry tells of, to be made by the same statement; its text must be constant
 */
export function auditStatement(actor: Actor, action: string, record: AuditRecord, change?: SqlStatement): SqlStatement {
  const before = change?.parameters ?? [];
  const place = (number: number): string => `$${before.length + number}`;
  const id = newId();
  const personal = Object.entries(record.personal ?? {}).map(([name, value]) => {
    const salt = randomBytes(32);
    return { name, value, salt, commitment: commitmentTo(salt, value) };
  });
  const parameters: unknown[] = [
    ...before,
    id,
    action,
    actor.kind,
    actor.id,
    record.subject?.kind ?? null,
    record.subject?.id ?? null,
    record.caseId ?? null,
    record.stepId ?? null,
    JSON.stringify(record.facts ?? {}),
    JSON.stringify(Object.fromEntries(personal.map(({ name, commitment }) => [name, commitment]))),
  ];
  const insertEntry = `
    INSERT INTO audit_entries
      (id, action, actor_kind, actor_id, subject_kind, subject_id, case_id, step_id, facts, commitments)
    VALUES (${[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(place).join(', ')})`;
  const steps = change ? [`change AS (${change.sql})`] : [];
  if (personal.length === 0) return { sql: prepared(`${withSteps(steps)}${insertEntry}`), parameters };
  parameters.push(
    personal.map(({ name }) => name),
    personal.map(({ salt }) => salt),
    personal.map(({ value }) => value),
  );
  const sql = `
    ${withSteps([...steps, `entry AS (${insertEntry} RETURNING id)`])}
    INSERT INTO audit_personal_fields (entry_id, name, salt, value)
    SELECT entry.id, field.name, field.salt, field.value
    FROM entry, unnest(${place(11)}::text[], ${place(12)}::bytea[], ${place(13)}::text[]) AS field (name, salt, value)`;
  return { sql: prepared(sql), parameters };
}

function withSteps(steps: readonly string[]): string {
  return steps.length === 0 ? '' : `WITH ${steps.join(', ')}`;
}

/** One statement that writes an entry for each of the records; they hold no personal fields. */
export function auditStatementOfMany(
  actor: Actor,
  action: string,
  records: readonly Omit<AuditRecord, 'personal'>[],
): SqlStatement {
  const rows = records.map(({ subject, caseId, stepId, facts = {} }) => ({
    id: newId(),
    subject_kind: subject?.kind,
    subject_id: subject?.id,
    case_id: caseId,
    step_id: stepId,
    facts,
  }));
  return {
    sql: prepared(`
    INSERT INTO audit_entries (id, action, actor_kind, actor_id, subject_kind, subject_id, case_id, step_id, facts)
    SELECT r.id, $1, $2, $3, r.subject_kind, r.subject_id, r.case_id, r.step_id, r.facts
    FROM jsonb_to_recordset($4::jsonb) AS r (id uuid, subject_kind text, subject_id text, case_id uuid, step_id uuid, facts jsonb)`),
    parameters: [action, actor.kind, actor.id, JSON.stringify(rows)],
  };
}

/** Hex of SHA-256 over salt and value: shows later that a value is the one that was written, and tells nothing before. */
export function commitmentTo(salt: Buffer, value: string): string {
  return createHash('sha256').update(salt).update(value, 'utf8').digest('hex');
}
