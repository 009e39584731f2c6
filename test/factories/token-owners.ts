import type { EntityManager } from 'typeorm';
import { queryRows } from '../../src/platform/database/query-rows.js';
import { newId } from '../../src/platform/ids/new-id.js';

/** A service that owns tokens, made when there is none of this name. */
export async function aTokenOwner(
  tx: EntityManager,
  owner = 'tests',
): Promise<{ owner: string; servicePrincipalId: string }> {
  const [service] = await queryRows<{ id: string }>(
    tx,
    `INSERT INTO service_principals (id, name) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = EXCLUDED.name RETURNING id`,
    [newId(), owner],
  );
  return { owner, servicePrincipalId: service?.id ?? '' };
}
