import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import type { KeptEntry, LogPart } from './check-log.js';
import { COSIGNED_NOTE } from './cosigned-checkpoints.js';
import { ENTRIES_DROPPED, LEAF_COLUMNS, leafOf, leafText, type LeafRow } from './leaf.js';
import { leafHash } from './merkle-tree.js';

const PAGE = 2_000;

/** With the text that was sealed, to write it down. */
export type ReadPart = Exclude<LogPart, { entry: KeptEntry }> | { entry: KeptEntry & { leaf: string } };

/**
 * The sealed log as one moment shows it: where it starts, if entries were dropped; entries in their order, each checkpoint
 * after the last entry it speaks for.
 */
export async function* readLog(tx: EntityManager): AsyncGenerator<ReadPart> {
  const [log] = await queryRows<{ size: number; frontier: Buffer }>(
    tx,
    `SELECT kept_from AS size, kept_frontier AS frontier FROM audit_log`,
  );
  let next = log?.size ?? 0;
  let spoken = next - 1;
  if (log && next > 0) yield { start: log };
  for (;;) {
    const rows = await queryRows<LeafRow & { index: number; hash: Buffer }>(
      tx,
      `SELECT leaf_index AS index, leaf_hash AS hash, ${LEAF_COLUMNS} FROM audit_entries
       WHERE leaf_index >= $1 ORDER BY leaf_index LIMIT $2`,
      [next, PAGE],
    );
    const end = rows.length < PAGE ? Number.MAX_SAFE_INTEGER : (rows.at(-1)?.index ?? 0) + 1;
    const checkpoints = await queryRows<{ size: number; note: string }>(
      tx,
      `SELECT c.size, ${COSIGNED_NOTE} AS note FROM audit_checkpoints c WHERE c.size > $1 AND c.size <= $2 ORDER BY c.size`,
      [spoken, end],
    );
    for (const row of rows) {
      while (checkpoints[0] && checkpoints[0].size <= row.index) yield { checkpoint: checkpoints.shift()?.note ?? '' };
      const leaf = leafText(leafOf(row));
      const keptFrom = row.action === ENTRIES_DROPPED ? Number(row.facts['keptFrom']) : undefined;
      yield { entry: { index: row.index, hash: row.hash, found: leafHash(leaf), leaf, ...(keptFrom && { keptFrom }) } };
    }
    for (const { note } of checkpoints) yield { checkpoint: note };
    if (rows.length < PAGE) return;
    next = end;
    spoken = end;
  }
}

/** One moment's view, for as long as the work takes. */
export async function inOneMoment<T>(db: DataSource, work: (tx: EntityManager) => Promise<T>): Promise<T> {
  return db.transaction('REPEATABLE READ', work);
}

/** Personal fields whose value isn't what the entry committed to: `<entry id> <name>` of the first few. */
export async function brokenCommitments(tx: EntityManager): Promise<string[]> {
  const rows = await queryRows<{ what: string }>(
    tx,
    `SELECT e.id || ' ' || f.name AS what FROM audit_personal_fields f JOIN audit_entries e ON e.id = f.entry_id
     WHERE encode(sha256(f.salt || convert_to(f.value, 'UTF8')), 'hex') IS DISTINCT FROM e.commitments ->> f.name LIMIT 5`,
  );
  return rows.map(({ what }) => what);
}

/** Entries that wait for the sealer, and for how many seconds the oldest has. */
export async function unsealed(tx: EntityManager): Promise<{ count: number; oldest: number }> {
  const [row] = await queryRows<{ count: number; oldest: number }>(
    tx,
    `SELECT count(*)::int AS count, COALESCE(EXTRACT(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS oldest
     FROM audit_entries WHERE leaf_index IS NULL`,
  );
  return row ?? { count: 0, oldest: 0 };
}

export interface Publication {
  target: string;
  size: number;
  publishedAt: Date | null;
  problem: string | null;
  /** For so many seconds there has been a checkpoint that isn't published there. */
  behindFor: number;
}

/** How far the log is published, at these places and no others. */
export async function publications(tx: EntityManager, targets: readonly string[]): Promise<Publication[]> {
  return queryRows<Publication>(
    tx,
    `SELECT t.target, COALESCE(p.size, 0) AS size, p.published_at AS "publishedAt", p.problem,
       COALESCE(EXTRACT(EPOCH FROM clock_timestamp() - missing.sealed_at), 0)::float8 AS "behindFor"
     FROM unnest($1::text[]) AS t (target)
     LEFT JOIN audit_publications p ON p.target = t.target
     LEFT JOIN LATERAL (
       SELECT sealed_at FROM audit_checkpoints WHERE audit_checkpoints.size > COALESCE(p.size, 0) ORDER BY size LIMIT 1
     ) missing ON true
     ORDER BY t.target`,
    [targets],
  );
}
