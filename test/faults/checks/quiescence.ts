import { waitFor } from '../../support/wait-for.js';
import type { ServiceUnderTest } from '../stage/service-under-test.js';

interface Unfinished {
  what: string;
}

/** Waits until nothing is left to do; answers what still is, when that takes too long. */
export async function untilQuiet(service: ServiceUnderTest, withinMs: number): Promise<string[]> {
  let left: Unfinished[] = [];
  try {
    await waitFor(
      'nothing is left to do',
      async () => {
        left = await service.rows<Unfinished>(
          `SELECT 'unfinished after everything was healed: ' || s.act || ' at ' || t.key || ' is ' || s.state || ' (lane ' || s.lane
             || ', attempts ' || s.attempts || ', leased: ' || (s.lease_owner IS NOT NULL) || ', ' || COALESCE(s.reason, 'no reason')
             || COALESCE((SELECT ', waits for ' || string_agg(w.act || ' of a ' || c.kind || ' that is ' || w.state, ' and ') FROM step_needs n
                  JOIN steps w ON w.id = n.needs_step_id JOIN cases c ON c.id = w.case_id WHERE n.step_id = s.id), '') || ') step '
             || s.id AS what
           FROM steps s JOIN tools t ON t.id = s.tool_id WHERE s.state IN ('ready', 'running', 'confirming', 'planned', 'held') LIMIT 6`,
        );
        return left.length === 0;
      },
      { withinMs, everyMs: 250 },
    );
    return [];
  } catch {
    return left.length > 0 ? left.map(({ what }) => what) : ['PostgreSQL does not answer after everything was healed'];
  }
}
