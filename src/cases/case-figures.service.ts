import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { queryRows } from '../platform/database/query-rows.js';
import { keepWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Case } from './case.entity.js';
import type { CaseKind } from './step-states.js';

export interface RevocationFigures {
  /** How many began, those that are still open among them. */
  opened: number;
  /** Closed ones in which something was revoked. */
  cases: number;
  /** Seconds from the decision to the last read-back of a revocation; null when there was none. */
  median: number | null;
  p95: number | null;
  last: number | null;
}

/** Which cases are counted: of these kinds, and of so many days. */
export interface Counted {
  kinds: readonly CaseKind[];
  days: number;
}

/** How long it takes until access is gone: from the decision to the moment at which the last tool showed it. */
@Injectable()
export class CaseFigures {
  constructor(private readonly db: DataSource) {}

  async revocations(actor: Actor, { kinds, days }: Counted): Promise<RevocationFigures> {
    const each = this.db.manager
      .createQueryBuilder(Case, 'c')
      .select('c.opened_at', 'opened_at')
      .addSelect('extract(epoch FROM max(s.confirmed_at) - c.opened_at)::float8', 'seconds')
      .leftJoin('steps', 's', `s.case_id = c.id AND c.state = 'closed' AND s.effect = 'revoke' AND s.state = 'done'`)
      .where('c.kind IN (:...kinds)', { kinds })
      // Ids are ordered by time (RFC 9562, version 7): the primary key finds the newest without an index of its own.
      .andWhere('c.id >= :since', { since: firstIdOf(Date.now() - days * 86_400_000) })
      .groupBy('c.id');
    keepWithin(each, actor, 'case');
    const [sql, parameters] = each.getQueryAndParameters();
    const [figures] = await queryRows<RevocationFigures>(
      this.db,
      `SELECT count(*)::int AS opened, count(seconds)::int AS cases,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
         percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95,
         (array_agg(seconds ORDER BY opened_at DESC) FILTER (WHERE seconds IS NOT NULL))[1] AS last
       FROM (${sql}) one`,
      parameters,
    );
    return figures ?? { opened: 0, cases: 0, median: null, p95: null, last: null };
  }
}

function firstIdOf(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
