import type { DataSource, EntityManager } from 'typeorm';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import type { Standing } from './may-send.js';
import type { Request } from './may-still-ask.js';

/** What stands against a grant now, and who asked for it; undefined when the person isn't there. */
export async function standingAgainst(
  db: DataSource | EntityManager,
  grant: { stepId: string; personId: string; accountId: string | null; generation: number },
): Promise<(Standing & Request) | undefined> {
  const [standing] = await queryRows<Standing & Request>(
    db,
    prepared(`SELECT EXISTS (SELECT 1 FROM holds h WHERE h.person_id = p.id AND h.released_at IS NULL
         AND (h.account_id IS NULL OR h.account_id = $2)) AS held,
       p.generation > $3 AS outdated, i.revoke_only AS closed, c.kind AS "caseKind",
       COALESCE(s.requested_by, c.requested_by) AS "requestedBy",
       COALESCE(s.requested_by_kind, c.requested_by_kind) AS "requestedByKind"
     FROM people p, installation i, steps s JOIN cases c ON c.id = s.case_id WHERE p.id = $1 AND s.id = $4`),
    [grant.personId, grant.accountId, grant.generation, grant.stepId],
  );
  return standing;
}
