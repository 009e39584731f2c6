import type { DataSource } from 'typeorm';
import { queryRows } from '../../platform/database/query-rows.js';
import { TIMING } from './timing.js';

/**
 * A grant's attempt of which nobody knows how it ended, and that may land yet. Its worker may still send it, or is gone:
 * then it was sent before that, and can land until a call's time after it; not only until the attempt's own deadline,
 * since a worker may have slept before it sent.
 */
export const MAY_LAND = `effect = 'grant' AND kind = 'act' AND outcome IS NULL
  AND (abandoned_at IS NULL OR abandoned_at + ${TIMING.call} * interval '1 ms' > now())`;

/** Whether a grant to this person at this tool is under way, or may land yet. */
export async function grantMayLand(
  db: DataSource,
  { personId, toolId }: { personId: string; toolId: string },
): Promise<boolean> {
  const rows = await queryRows(
    db,
    `SELECT 1 FROM steps WHERE person_id = $1 AND tool_id = $2 AND effect = 'grant' AND state IN ('running', 'confirming')
     UNION ALL
     SELECT 1 FROM attempts WHERE person_id = $1 AND tool_id = $2 AND ${MAY_LAND}
     LIMIT 1`,
    [personId, toolId],
  );
  return rows.length > 0;
}

/** Whether an earlier call of this very step may land yet. */
export async function stepMayLand(db: DataSource, stepId: string): Promise<boolean> {
  const rows = await queryRows(db, `SELECT 1 FROM attempts WHERE step_id = $1 AND ${MAY_LAND} LIMIT 1`, [stepId]);
  return rows.length > 0;
}
