import { createHash, randomBytes } from 'node:crypto';
import { prepared } from '../database/prepared.js';
import { newId } from '../ids/new-id.js';
import type { Actor } from '../sign-in/actor.js';
import type { AuditContext } from './leaf.js';

export interface AuditRecord {
  subject?: { kind: string; id: string };
  caseId?: string;
  stepId?: string;
  /** Facts that name no person and hold no secret: they stay for good. */
  facts?: Record<string, unknown>;
  /** Personal data by name: erasable, since the entry itself holds commitments only. */
  personal?: Record<string, string>;
  /** What changed, without personal data, by the same names in both. */
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
  /** Why, in somebody's own words: they may name people, so it is kept as personal data. */
  reason?: string;
  approvalId?: string;
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
  const personal = Object.entries(personalOf(actor, record)).map(([name, value]) => {
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
    contextOf(actor, record),
  ];
  const insertEntry = `
    INSERT INTO audit_entries
      (id, action, actor_kind, actor_id, subject_kind, subject_id, case_id, step_id, facts, commitments, context)
    VALUES (${[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(place).join(', ')})`;
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
    FROM entry, unnest(${place(12)}::text[], ${place(13)}::bytea[], ${place(14)}::text[]) AS field (name, salt, value)`;
  return { sql: prepared(sql), parameters };
}

function withSteps(steps: readonly string[]): string {
  return steps.length === 0 ? '' : `WITH ${steps.join(', ')}`;
}

/** What many entries at once may hold. */
export type ImpersonalRecord = Pick<AuditRecord, 'subject' | 'caseId' | 'stepId' | 'facts'>;

/** One statement that writes an entry for each of the records; they hold no personal fields. */
export function auditStatementOfMany(actor: Actor, action: string, records: readonly ImpersonalRecord[]): SqlStatement {
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
    INSERT INTO audit_entries (id, action, actor_kind, actor_id, subject_kind, subject_id, case_id, step_id, facts, context)
    SELECT r.id, $1, $2, $3, r.subject_kind, r.subject_id, r.case_id, r.step_id, r.facts, $5::jsonb
    FROM jsonb_to_recordset($4::jsonb) AS r (id uuid, subject_kind text, subject_id text, case_id uuid, step_id uuid, facts jsonb)`),
    parameters: [action, actor.kind, actor.id, JSON.stringify(rows), contextOf(actor, {})],
  };
}

/** An address of a person's machine is theirs, and so is a reason in their words; a company's HR system is nobody. */
function personalOf({ kind, from }: Actor, { personal, reason }: AuditRecord): Record<string, string> {
  return {
    ...personal,
    ...(reason !== undefined && { reason }),
    ...(from?.address !== undefined && kind !== 'hr' && { address: from.address }),
    ...(from?.onBehalfOf !== undefined && { onBehalfOf: from.onBehalfOf }),
  };
}

/** As JSON; null for what the service does by itself, which is most of what is written. */
function contextOf({ kind, from }: Actor, { approvalId, before, after }: AuditRecord): string | null {
  if (!from && approvalId === undefined && before === undefined && after === undefined) return null;
  const { via, requestId, address } = from ?? {};
  const context: AuditContext = { via, requestId, ...(kind === 'hr' && { address }), approvalId, before, after };
  return JSON.stringify(context);
}

/** Hex of SHA-256 over salt and value: shows later that a value is the one that was written, and tells nothing before. */
export function commitmentTo(salt: Buffer, value: string): string {
  return createHash('sha256').update(salt).update(value, 'utf8').digest('hex');
}
