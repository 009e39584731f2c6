import type { Company } from '../company.js';
import type { ServiceUnderTest } from '../stage/service-under-test.js';

interface Question {
  /** What an answer with rows means. */
  broken: string;
  /** Selects a column `what`. */
  sql: string;
}

const QUESTIONS: readonly Question[] = [
  {
    broken: 'an account of a leaver is neither revoked nor visibly failed (I1)',
    sql: `SELECT p.corporate_email || ' at ' || t.key || ': ' || a.observed_state AS what
          FROM accounts a JOIN people p ON p.id = a.person_id JOIN tools t ON t.id = a.tool_id
          WHERE p.status = 'left' AND a.kind = 'person' AND a.observed_state NOT IN ('suspended', 'absent')
            AND NOT (a.observed_state = 'unknown' AND a.external_id IS NULL)
            AND NOT EXISTS (SELECT 1 FROM steps s WHERE s.account_id = a.id AND s.state IN ('needs_human', 'waived'))`,
  },
  {
    broken: 'somebody who left or is held has no standing hold, or nobody cut them (I1)',
    sql: `SELECT p.corporate_email AS what FROM people p WHERE p.status = 'left'
          AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.person_id = p.id AND h.reason = 'leaver' AND h.released_at IS NULL)`,
  },
  {
    broken: 'two accounts for one person, tool and purpose (I2)',
    sql: `SELECT person_id::text AS what FROM accounts WHERE person_id IS NOT NULL GROUP BY person_id, tool_id, mark
          HAVING count(*) > 1 AND mark IS NOT NULL`,
  },
  {
    broken: 'an event that was kept has no outcome (I3)',
    sql: `SELECT event_id AS what FROM inbox_events WHERE outcome IS NULL OR (outcome = 'unreadable' AND outcome_reason IS NULL)`,
  },
  {
    broken: 'the fences of a step’s attempts go down (I5)',
    sql: `SELECT step_id::text AS what FROM (
            SELECT step_id, fence, lag(fence) OVER (PARTITION BY step_id ORDER BY number) AS before FROM attempts) f
          WHERE fence < before`,
  },
  {
    broken: 'a step is done without having been seen',
    sql: `SELECT s.id || ' ' || s.act AS what FROM steps s WHERE s.state = 'done'
          AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.step_id = s.id AND a.outcome = 'shown')`,
  },
  {
    broken: 'something was decided and the audit log does not tell (I6)',
    sql: `SELECT what FROM (
            SELECT 'case ' || c.id || ' opened' AS what, c.id AS case_id, NULL::uuid AS step_id, 'case.opened' AS action FROM cases c
            UNION ALL SELECT 'case ' || c.id || ' closed', c.id, NULL, 'case.closed' FROM cases c WHERE c.state = 'closed'
            UNION ALL SELECT 'step ' || s.id || ' done', s.case_id, s.id, 'step.done' FROM steps s WHERE s.state = 'done') d
          WHERE NOT EXISTS (SELECT 1 FROM audit_entries e WHERE e.case_id = d.case_id AND e.action = d.action
            AND e.step_id IS NOT DISTINCT FROM d.step_id)`,
  },
  {
    broken: 'an event was kept and the audit log does not tell (I6)',
    sql: `SELECT i.event_id AS what FROM inbox_events i WHERE NOT EXISTS (
            SELECT 1 FROM audit_entries e WHERE e.action = 'hr-event.received' AND e.subject_id = i.id::text)`,
  },
  {
    broken: 'a case was left half open',
    sql: `SELECT c.kind || ' ' || c.id AS what FROM cases c WHERE c.kind IN ('leaver', 'lost_device')
          AND NOT EXISTS (SELECT 1 FROM holds h WHERE h.case_id = c.id)`,
  },
  {
    broken: 'a revocation was superseded',
    sql: `SELECT act || ' ' || id AS what FROM steps WHERE state = 'superseded' AND effect <> 'grant'`,
  },
  {
    broken: 'a step needs a person and has no owner, or its subject owns it, or nobody was told (I1)',
    sql: `SELECT s.id || ': ' || s.reason AS what FROM steps s JOIN people p ON p.id = s.person_id
          WHERE s.state = 'needs_human' AND (s.owner = '' OR s.owner = p.corporate_email OR NOT EXISTS (
            SELECT 1 FROM alerts a WHERE a.step_id = s.id AND a.resolved_at IS NULL))`,
  },
  {
    broken: 'a step was left to a person although everything is well again',
    sql: `SELECT s.act || ': ' || s.reason AS what FROM steps s WHERE s.state = 'needs_human'`,
  },
  {
    broken: 'a lease stands although nothing runs',
    sql: `SELECT s.act || ' ' || s.id AS what FROM steps s WHERE s.lease_owner IS NOT NULL`,
  },
  {
    broken: 'a tool is still paused',
    sql: `SELECT key || ': ' || pause_reason AS what FROM tools WHERE state = 'paused' AND (paused_until IS NULL OR paused_until > now())`,
  },
];

/** The invariants, asked of PostgreSQL when everything is quiet (I1 to I6). */
export async function checkDatabase(service: ServiceUnderTest, company: Company): Promise<string[]> {
  const broken: string[] = [];
  for (const { broken: meaning, sql } of QUESTIONS) {
    const rows = await service.rows<{ what: string }>(`${sql} LIMIT 4`);
    for (const { what } of rows) broken.push(`${meaning}: ${what}`);
  }
  return [...broken, ...(await acceptedEvents(service, company))];
}

/** Every webhook that was answered 2xx has one row, with the outcome that was answered (I3). */
async function acceptedEvents(service: ServiceUnderTest, company: Company): Promise<string[]> {
  const rows = await service.rows<{ id: string; outcome: string }>(`SELECT event_id AS id, outcome FROM inbox_events`);
  const outcomes = new Map<string, string[]>();
  for (const { id, outcome } of rows) outcomes.set(id, [...(outcomes.get(id) ?? []), outcome]);
  return company.deliveries.flatMap(({ webhookId, type, answers }) =>
    answers
      .filter(({ status }) => status >= 200 && status < 300)
      .filter(({ outcome }) => outcomes.get(webhookId)?.length !== 1 || outcomes.get(webhookId)?.[0] !== outcome)
      .map(
        ({ outcome }) =>
          `${type} was answered "${outcome}" and is kept as "${outcomes.get(webhookId)?.join() ?? 'nothing'}" (I3)`,
      ),
  );
}
