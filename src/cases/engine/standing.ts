import type { DataSource, EntityManager } from 'typeorm';
import { prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import type { Standing } from './may-send.js';

/** What stands against a grant now; undefined when the person isn't there. */
export async function standingAgainst(
  db: DataSource | EntityManager,
  grant: { personId: string; accountId: string | null; generation: number },
): Promise<Standing | undefined> {
  const [standing] = await queryRows<Standing>(
    db,
    prepared(`SELECT EXISTS (SELECT 1 FROM holds h WHERE h.person_id = p.id AND h.released_at IS NULL
         AND (h.account_id IS NULL OR h.account_id = $2)) AS held,
       p.generation > $3 AS outdated, i.revoke_only AS closed
     FROM people p, installation i WHERE p.id = $1`),
    [grant.personId, grant.accountId, grant.generation],
  );
  return standing;
}
