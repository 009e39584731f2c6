import type { Company } from '../company.js';
import type { ServiceUnderTest } from '../stage/service-under-test.js';

/** What the tools themselves show and saw, held against the model and against what was intended (I1, I2, I4, I6, I10). */
export async function checkTools(service: ServiceUnderTest, company: Company): Promise<string[]> {
  return [
    ...company.people.flatMap((employee) => company.deviations(employee)),
    ...(await checkCalls(service, company)),
  ];
}

/** The same, without what only holds once everything is quiet. */
export async function checkCalls(service: ServiceUnderTest, company: Company): Promise<string[]> {
  return [...strangers(service, company), ...(await unintendedCalls(service)), ...(await grantsUnderHold(service))];
}

/** Accounts that belong to nobody, and marks that two accounts carry. */
function strangers(service: ServiceUnderTest, company: Company): string[] {
  const known = new Set(company.people.map(({ username }) => username));
  return service.tools.flatMap((tool, index) => {
    const users = [...tool.users.values()];
    const unknown = users.filter(({ userName }) => !known.has(userName));
    const marks = users.map(({ externalId }) => externalId);
    const doubled = marks.filter((mark, at) => mark !== null && marks.indexOf(mark) !== at);
    return [
      ...unknown.map(({ userName }) => `tool ${index}: an account "${userName}" that belongs to nobody`),
      ...doubled.map((mark) => `tool ${index}: two accounts carry the mark ${mark} (I2)`),
    ];
  });
}

async function unintendedCalls(service: ServiceUnderTest): Promise<string[]> {
  const rows = await service.rows<{ id: string; toolId: string }>(`SELECT id, tool_id AS "toolId" FROM attempts`);
  const toolOf = new Map(rows.map(({ id, toolId }) => [id, toolId]));
  return service.tools.flatMap((tool, index) => {
    const unintended = tool.calls.filter(
      ({ attemptId }) => attemptId === null || toolOf.get(attemptId) !== service.toolIds[index],
    );
    return unintended.map(
      ({ method, path, attemptId }) => `tool ${index} saw ${method} ${path}, which nobody intended (${attemptId}, I6)`,
    );
  });
}

/**
 * A grant that was intended after a hold was committed, and sent while it stood. Whatever was intended before may have
 * been looked at before; what it left behind is found by the last look (I4).
 */
async function grantsUnderHold(service: ServiceUnderTest): Promise<string[]> {
  const rows = await service.rows<{ id: string; kind: string; reason: string }>(
    `SELECT a.id, s.act AS kind, h.reason FROM attempts a JOIN steps s ON s.id = a.step_id JOIN holds h ON h.person_id = a.person_id
       JOIN audit_entries e ON e.case_id = h.case_id AND e.action = 'case.opened'
     WHERE a.effect = 'grant' AND a.kind = 'act' AND a.intended_at > pg_xact_commit_timestamp(e.xmin)
       AND (h.released_at IS NULL OR a.intended_at < h.released_at)`,
  );
  const sent = new Set(service.tools.flatMap((tool) => tool.acts().map(({ attemptId }) => attemptId)));
  return rows
    .filter(({ id }) => sent.has(id))
    .map(({ kind, reason }) => `a ${kind} was sent under a ${reason} hold (I10)`);
}
