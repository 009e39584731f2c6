import type { DataSource } from 'typeorm';
import type { GrantRef } from '../../../connectors/kit/contract.js';
import { idsIn, prepared } from '../../platform/database/prepared.js';
import { queryRows } from '../../platform/database/query-rows.js';
import type { Target } from './act-on-tool.js';
import type { Claim } from './claim.js';

interface Row {
  toolName: string;
  ownPrincipal: string | null;
  givenName: string;
  familyName: string;
  displayName: string;
  email: string;
  username: string | null;
  mark: string | null;
  externalId: string | null;
  grant: GrantRef | null;
  at: Date;
}

/** A target, and when it was loaded: what a call shows is at least as young as this, by the database's clock. */
export interface LoadedTarget extends Target {
  loadedAt: Date;
}

/**
 * What a call needs of the person, the account and the tool, as they are now, in one query for all of them: this runs
 * before every external call. A step without an account (a look) gets the person's primary names from the caller.
 */
export async function loadTargets(db: DataSource, claims: readonly Claim[]): Promise<LoadedTarget[]> {
  const rows = await queryRows<Row & { place: number }>(
    db,
    prepared(`SELECT c.place::int AS place, t.name AS "toolName", t.own_principal AS "ownPrincipal", p.given_name AS "givenName",
       p.family_name AS "familyName", p.display_name AS "displayName", p.corporate_email AS email, a.username, a.mark,
       a.external_id AS "externalId",
       CASE WHEN g.id IS NOT NULL THEN jsonb_build_object('kind', g.kind, 'name', g.name) END AS grant, statement_timestamp() AS at
     FROM unnest(${idsIn('$1')}, ${idsIn('$2')}, ${idsIn('$3')}, ${idsIn('$4')}) WITH ORDINALITY AS c (tool_id, person_id, account_id, grant_id, place)
     JOIN tools t ON t.id = c.tool_id JOIN people p ON p.id = c.person_id
     LEFT JOIN accounts a ON a.id = c.account_id LEFT JOIN grants g ON g.id = c.grant_id`),
    [
      claims.map(({ toolId }) => toolId),
      claims.map(({ personId }) => personId),
      claims.map(({ accountId }) => accountId),
      claims.map(({ grantId }) => grantId),
    ],
  );
  const byPlace = new Map(rows.map((row) => [row.place, row]));
  return claims.map((claim, index) => targetOf(claim, byPlace.get(index + 1)));
}

export async function loadTarget(db: DataSource, claim: Claim): Promise<LoadedTarget> {
  const [target] = await loadTargets(db, [claim]);
  if (!target) throw new Error('one claim has one target');
  return target;
}

function targetOf(claim: Claim, row: Row | undefined): LoadedTarget {
  if (!row) throw new Error(`step ${claim.stepId} names a tool or a person that is not there`);
  return {
    toolName: row.toolName,
    ownPrincipal: row.ownPrincipal,
    holder: {
      personId: claim.personId,
      givenName: row.givenName,
      familyName: row.familyName,
      displayName: row.displayName,
      email: row.email,
    },
    mark: row.mark ?? '',
    username: row.username ?? '',
    externalId: row.externalId,
    grant: row.grant,
    device: typeof claim.input['device'] === 'string' ? claim.input['device'] : null,
    password: null,
    loadedAt: row.at,
  };
}
