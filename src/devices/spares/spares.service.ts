import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { queryRows } from '../../platform/database/query-rows.js';
import { CAN_BE_GIVEN, HAS_CURRENT_IMAGE } from './can-be-given.js';

/** The shelf of one model at one site. */
export interface Shelf {
  modelId: string;
  modelName: string;
  siteId: string | null;
  siteName: string | null;
  inStock: number;
  /** Those that can really be given. */
  ready: number;
  faulty: number;
  /** Without the current version of their image, or without any. */
  imageOutdated: number;
  /** How many there should be; 0: nobody said. */
  minimum: number;
  /** How many are missing. */
  short: number;
}

/** What is on the shelves, and whether it is enough. */
@Injectable()
export class Spares {
  async list(
    tx: EntityManager,
    { siteId, modelId, short = false }: { siteId?: string; modelId?: string; short?: boolean },
  ): Promise<Shelf[]> {
    return queryRows<Shelf>(
      tx,
      `WITH shelf AS (
         SELECT d.model_id, d.site_id, count(*)::int AS in_stock,
           count(*) FILTER (WHERE ${CAN_BE_GIVEN})::int AS ready,
           count(*) FILTER (WHERE NOT d.working)::int AS faulty,
           count(*) FILTER (WHERE NOT ${HAS_CURRENT_IMAGE})::int AS outdated
         FROM devices d JOIN device_models m ON m.id = d.model_id WHERE d.state = 'in_stock' GROUP BY 1, 2
       )
       SELECT m.id AS "modelId", m.name AS "modelName", t.id AS "siteId", t.name AS "siteName",
         coalesce(s.in_stock, 0) AS "inStock", coalesce(s.ready, 0) AS ready, coalesce(s.faulty, 0) AS faulty,
         coalesce(s.outdated, 0) AS "imageOutdated", coalesce(n.minimum, 0) AS minimum,
         greatest(0, coalesce(n.minimum, 0) - coalesce(s.ready, 0)) AS short
       FROM shelf s FULL JOIN device_model_minimums n ON n.model_id = s.model_id AND n.site_id = s.site_id
       JOIN device_models m ON m.id = coalesce(s.model_id, n.model_id)
       LEFT JOIN sites t ON t.id = coalesce(s.site_id, n.site_id)
       WHERE ($1::uuid IS NULL OR t.id = $1) AND ($2::uuid IS NULL OR m.id = $2)
         AND (NOT $3 OR coalesce(n.minimum, 0) > coalesce(s.ready, 0))
       ORDER BY m.name, t.name`,
      [siteId ?? null, modelId ?? null, short],
    );
  }
}
