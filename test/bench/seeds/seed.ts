import type pg from 'pg';
import type { Employee } from '../stage/hr-poster.js';

/**
 * Rows by SQL, in the shape in which the service itself writes them. Foreign keys aren't checked while they go in:
 * that takes most of the time, and the rows come from one another.
 */
export async function seeding(superuser: pg.Pool, seed: (db: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await superuser.connect();
  try {
    await client.query(`SET session_replication_role = replica`);
    await client.query(`SET synchronous_commit = off`);
    await seed(client);
    await client.query(`RESET ALL`);
    await client.query(`VACUUM ANALYZE`);
    // On the disk before anything is measured, not beside it.
    await client.query(`CHECKPOINT`);
  } finally {
    client.release();
  }
}

export interface People {
  /** Their user names are `bench-<label>-<number>`, from 1. */
  label: string;
  count: number;
}

/** Active people; names of 100 × 1,000 kinds, so that a search finds few or many. */
export async function seedPeople(db: pg.PoolClient, { label, count }: People): Promise<void> {
  await db.query(
    `INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status, generation)
     SELECT gen_random_uuid(), g.name, f.name, g.name || ' ' || f.name, 'bench-' || $1 || '-' || n || '@acme.example', 'active', 4294967296
     FROM generate_series(1, $2::int) n
     CROSS JOIN LATERAL (SELECT initcap(translate(substr(md5('given' || n % 100), 1, 7), '0123456789', 'ghijklmnop')) AS name) g
     CROSS JOIN LATERAL (SELECT initcap(translate(substr(md5('family' || n % 1009), 1, 9), '0123456789', 'qrstuvwxyz')) AS name) f`,
    [label, count],
  );
}

/** An account for each of these people at each of the tools, seen active there. */
export async function seedAccounts(db: pg.PoolClient, label: string, toolIds: readonly string[]): Promise<void> {
  await db.query(
    `INSERT INTO accounts (id, tool_id, person_id, username, external_id, desired_state, observed_state, observed_at, observed_source)
     SELECT gen_random_uuid(), t.id, p.id, u.name, 'u-' || u.name, 'active', 'active', now(), 'bench'
     FROM people p CROSS JOIN unnest($2::uuid[]) AS t (id)
     CROSS JOIN LATERAL (SELECT split_part(p.corporate_email, '@', 1) AS name) u
     WHERE p.corporate_email LIKE 'bench-' || $1 || '-%'`,
    [label, toolIds],
  );
}

/** These people leave: a case each, and a suspension that is due for each of their accounts. */
export async function seedLeavers(db: pg.PoolClient, label: string): Promise<void> {
  await db.query(
    `INSERT INTO cases (id, kind, person_id, lane, generation, opened_by)
     SELECT gen_random_uuid(), 'leaver', id, 'standard', generation, 'bench' FROM people
     WHERE corporate_email LIKE 'bench-' || $1 || '-%'`,
    [label],
  );
  // Beside a few rows that the planner knows of it would join a million by loops, for minutes.
  await db.query(`ANALYZE people, accounts, cases`);
  await db.query(
    `INSERT INTO steps (id, case_id, person_id, tool_id, account_id, act, effect, state, lane, position, generation)
     SELECT gen_random_uuid(), c.id, p.id, a.tool_id, a.id, 'suspend_account', 'revoke', 'ready', 'standard',
       row_number() OVER (PARTITION BY c.id), c.generation
     FROM people p JOIN cases c ON c.person_id = p.id JOIN accounts a ON a.person_id = p.id
     WHERE p.corporate_email LIKE 'bench-' || $1 || '-%'`,
    [label],
  );
}

/** A laptop in the hands of each of these people. */
export async function seedLaptops(db: pg.PoolClient, label: string): Promise<void> {
  await db.query(
    `INSERT INTO device_models (id, name, manufacturer) SELECT gen_random_uuid(), 'Model ' || $1, 'Acme'`,
    [label],
  );
  await db.query(
    `INSERT INTO devices (id, asset_tag, serial, model_id, holder_id, state)
     SELECT gen_random_uuid(), split_part(p.corporate_email, '@', 1), split_part(p.corporate_email, '@', 1), m.id, p.id, 'assigned'
     FROM people p, device_models m WHERE p.corporate_email LIKE 'bench-' || $1 || '-%' AND m.name = 'Model ' || $1`,
    [label],
  );
}

/** What these people's leaving still asks for is taken back, so that nothing of it is due any more. */
export async function clearLeavers(db: pg.PoolClient, label: string): Promise<void> {
  const theirs = `SELECT id FROM people WHERE corporate_email LIKE 'bench-' || $1 || '-%'`;
  for (const table of ['attempts', 'steps', 'cases']) {
    await db.query(`DELETE FROM ${table} WHERE person_id IN (${theirs})`, [label]);
  }
}

/** People of whom the HR system `hr` told a while ago, with an account at each of the tools, seen active there. */
export async function seedStaff(
  db: pg.PoolClient,
  staff: readonly Employee[],
  toolIds: readonly string[],
): Promise<void> {
  await db.query(
    `WITH told AS (
       SELECT gen_random_uuid() AS person_id, e.* FROM jsonb_to_recordset($1::jsonb) AS e (id text, "givenName" text,
         "familyName" text, "workEmail" text, department text, "timeZone" text, "startDate" date)
     ), person AS (
       INSERT INTO people (id, given_name, family_name, display_name, corporate_email, status, generation)
       SELECT person_id, "givenName", "familyName", "givenName" || ' ' || "familyName", "workEmail", 'active', 4294967296 FROM told
     ), employment AS (
       INSERT INTO employments (id, person_id, source, source_id, department, employment_type, zone, start_date, starts_at,
         start_applied_at, last_event_at)
       SELECT gen_random_uuid(), person_id, 'hr', id, department, 'employee', "timeZone", "startDate",
         "startDate"::timestamp AT TIME ZONE "timeZone", now(), now() - interval '1 day' FROM told
     )
     INSERT INTO accounts (id, tool_id, person_id, username, external_id, desired_state, observed_state, observed_at, observed_source)
     SELECT gen_random_uuid(), t.id, person_id, u.name, 'u-' || u.name, 'active', 'active', now(), 'bench'
     FROM told CROSS JOIN unnest($2::uuid[]) AS t (id) CROSS JOIN LATERAL (SELECT split_part("workEmail", '@', 1) AS name) u`,
    [JSON.stringify(staff), toolIds],
  );
}
