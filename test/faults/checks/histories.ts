import type { Company } from '../company.js';
import type { ServiceUnderTest } from '../stage/service-under-test.js';

/**
 * What was done about everybody who isn't as they should be, step by step with its attempts, for whoever has to find
 * out why.
 */
export async function tellHistories(service: ServiceUnderTest, company: Company): Promise<Record<string, string[]>> {
  const rows = await service.rows<{ email: string; line: string }>(
    `SELECT p.corporate_email AS email,
       to_char(s.requested_at, 'HH24:MI:SS.MS') || ' ' || c.kind || ' g' || s.generation || ' ' || t.key || ' ' || s.act || ' ' || s.state
         || COALESCE(' until ' || to_char(s.ended_at, 'HH24:MI:SS.MS'), '') || ' fence ' || s.fence || ' crashes ' || s.crashes
         || COALESCE(' leased until ' || to_char(s.lease_until, 'HH24:MI:SS.MS'), '') || COALESCE(' (' || s.reason || ')', '')
         || COALESCE(E'\\n    needs ' || (SELECT string_agg(w.act || ' ' || w.state, ', ') FROM step_needs n JOIN steps w ON w.id = n.needs_step_id
              WHERE n.step_id = s.id), '')
         || COALESCE((SELECT string_agg(E'\\n    ' || to_char(a.intended_at, 'HH24:MI:SS.MS') || ' ' || a.kind || ' by ' || w.pid || ': '
              || COALESCE(a.outcome, CASE WHEN a.abandoned_at IS NULL THEN 'open' ELSE 'abandoned' END) || COALESCE(' ' || a.error_kind, '')
              || COALESCE(' until ' || to_char(a.finished_at, 'HH24:MI:SS.MS'), '') || COALESCE(' ' || a.detail::text, ''), '' ORDER BY a.number)
              FROM attempts a JOIN workers w ON w.id = a.worker_id WHERE a.step_id = s.id), '') AS line
     FROM steps s JOIN people p ON p.id = s.person_id JOIN cases c ON c.id = s.case_id JOIN tools t ON t.id = s.tool_id
     ORDER BY s.requested_at, c.opened_at, t.key, s.position`,
  );
  const unfinished = await service.rows<{ email: string }>(
    `SELECT DISTINCT p.corporate_email AS email FROM steps s JOIN people p ON p.id = s.person_id
     WHERE s.state NOT IN ('done', 'superseded', 'waived')`,
  );
  const asked = new Set(unfinished.map(({ email }) => email));
  for (const employee of company.people) if (!company.isAsItShould(employee)) asked.add(employee.facts.workEmail);
  return Object.fromEntries(
    [...asked].slice(0, 8).map((email) => [email, rows.filter((row) => row.email === email).map(({ line }) => line)]),
  );
}
