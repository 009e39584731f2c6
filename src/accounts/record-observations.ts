import type { EntityManager } from 'typeorm';
import type { LiveThings, ObservedAccount } from '../../connectors/kit/contract.js';
import { newId } from '../platform/ids/new-id.js';
import { prepared } from '../platform/database/prepared.js';
import { queryRows } from '../platform/database/query-rows.js';
import { residualOf } from './residual.js';

/** What a look at the tool showed of one account; null: it isn't there, by a look-up that can be trusted. */
export interface SeenAccount {
  accountId: string;
  observed: ObservedAccount | null;
  /** Who looked, e.g. `read-back` or `discover`. */
  source: string;
  at: Date;
}

/**
 * Writes what was seen of accounts, with their sessions and grants, in one statement; an older look at an account changes
 * nothing. The rows are locked in the order of their ids.
 *
 * @param looks several may be of one account: the youngest counts
 * @returns the accounts of which something new was written
 */
export async function recordObservations(
  tx: EntityManager,
  looks: readonly SeenAccount[],
): Promise<ReadonlySet<string>> {
  if (looks.length === 0) return new Set();
  const rows = await queryRows<{ id: string }>(
    tx,
    prepared(`WITH shown AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS s (account uuid, at timestamptz, source text, present boolean,
         external_id text, username text, state text, credential_version text, residual_until timestamptz,
         live integer, sessions_told boolean, sessions jsonb, grants jsonb)
     ), locked AS MATERIALIZED (
       SELECT a.id FROM accounts a JOIN shown s ON s.account = a.id WHERE a.observed_at IS NULL OR a.observed_at <= s.at
       ORDER BY a.id FOR UPDATE OF a
     ), newest AS (
       UPDATE accounts a SET observed_at = s.at, observed_source = s.source, version = a.version + 1, updated_at = now(),
         external_id = CASE WHEN s.present THEN s.external_id ELSE a.external_id END,
         username = CASE WHEN s.present THEN s.username ELSE a.username END,
         observed_state = s.state, credential_version = s.credential_version, live_sessions = s.live, residual_until = s.residual_until
       FROM shown s JOIN locked l ON l.id = s.account WHERE a.id = s.account RETURNING a.id
     ), ended AS (
       UPDATE sessions o SET state = 'ended', ended_at = s.at FROM shown s JOIN newest n ON n.id = s.account
       WHERE o.account_id = s.account AND s.sessions_told AND o.state = 'live' AND NOT s.sessions -> 'ids' ? o.external_id
     ), live AS (
       INSERT INTO sessions (id, account_id, external_id, state, first_seen_at, last_seen_at)
       SELECT one.id, s.account, one.external_id, 'live', s.at, s.at FROM shown s JOIN newest n ON n.id = s.account,
         jsonb_to_recordset(s.sessions -> 'live') AS one (id uuid, external_id text)
       ON CONFLICT ON CONSTRAINT uq_sessions_external_id DO UPDATE
       SET state = 'live', last_seen_at = EXCLUDED.last_seen_at, ended_at = NULL
     ), granted AS (
       UPDATE grants g SET observed_at = s.at, observed = CASE
         WHEN s.grants @> jsonb_build_array(jsonb_build_object('kind', g.kind, 'name', g.name)) THEN 'present' ELSE 'absent' END
       FROM shown s JOIN newest n ON n.id = s.account WHERE g.account_id = s.account AND s.grants IS NOT NULL)
     SELECT id FROM newest`),
    [JSON.stringify(youngestOfEach(looks).map(rowOf))],
  );
  return new Set(rows.map(({ id }) => id));
}

function youngestOfEach(looks: readonly SeenAccount[]): SeenAccount[] {
  const youngest = new Map<string, SeenAccount>();
  for (const look of looks) {
    const other = youngest.get(look.accountId);
    if (!other || other.at <= look.at) youngest.set(look.accountId, look);
  }
  return [...youngest.values()];
}

function rowOf({ accountId, observed, source, at }: SeenAccount): Record<string, unknown> {
  const look = { account: accountId, at, source };
  if (observed === null) {
    return { ...look, present: false, state: 'absent', ...sessionsOf({ seen: true, live: 0 }), grants: [] };
  }
  return {
    ...look,
    present: true,
    external_id: observed.externalId,
    username: observed.username,
    state: observed.state,
    credential_version: observed.credentialVersion,
    residual_until: residualOf(observed),
    ...sessionsOf(observed.sessions),
    grants: observed.grants?.map(({ kind, name }) => ({ kind, name })) ?? null,
  };
}

/**
 * Live ones are kept by the tool's own id, and those that it doesn't show any more have ended. A look that shows a
 * number without ids tells that something lives, and not what: then only a zero ends anything.
 */
function sessionsOf(things: LiveThings): Record<string, unknown> {
  if (!things.seen) return { live: null, sessions_told: false, sessions: { ids: [], live: [] } };
  const ids = [...new Set(things.ids ?? [])];
  return {
    live: things.live,
    sessions_told: things.ids !== undefined || things.live === 0,
    sessions: { ids, live: ids.map((externalId) => ({ id: newId(), external_id: externalId })) },
  };
}
