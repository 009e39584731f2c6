import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import { MerkleTree } from './merkle-tree.js';
import { TILE_WIDTH } from './tiles.js';
import type { HashSource } from './tree-proofs.js';

/** Full tiles in one transaction: some ten milliseconds of hashing. */
const MOST_TILES = 64;

/** The hashes of the log as PostgreSQL keeps them. What comes of them is to be held against a signed checkpoint. */
export function storedTree(tx: EntityManager): HashSource {
  return {
    async hashes(level, first, count) {
      const rows = await queryRows<{ hash: Buffer }>(
        tx,
        level === 0
          ? `SELECT leaf_hash AS hash FROM audit_entries WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index`
          : `SELECT hash FROM audit_tile_roots WHERE index >= $1 AND index < $2 AND level = $3 ORDER BY index`,
        [first, first + count, ...(level === 0 ? [] : [level])],
      );
      return rows.map(({ hash }) => hash);
    },
  };
}

/**
 * Writes down the roots of the tiles that have become full, so that nobody has to go through the whole log for a proof.
 * Costs nothing where there are none; several processes may do it at the same time.
 */
export async function keepTileRoots(db: DataSource): Promise<void> {
  const [log] = await queryRows<{ size: number }>(db, `SELECT size FROM audit_log`);
  let below = log?.size ?? 0;
  for (let level = 1; below >= TILE_WIDTH; level += 1) {
    below = Math.floor(below / TILE_WIDTH);
    while (await inTransaction(db, (tx) => keepSome(tx, level, below)));
  }
}

/** @returns whether there are more */
async function keepSome(tx: EntityManager, level: number, full: number): Promise<boolean> {
  const [kept] = await queryRows<{ next: number }>(
    tx,
    `SELECT COALESCE(max(index) + 1, 0) AS next FROM audit_tile_roots WHERE level = $1`,
    [level],
  );
  const first = kept?.next ?? 0;
  const end = Math.min(full, first + MOST_TILES);
  if (end <= first) return false;
  const hashes = await storedTree(tx).hashes(level - 1, first * TILE_WIDTH, (end - first) * TILE_WIDTH);
  // Where rows are gone no tile can be made of the rest: the proof that needs it says so.
  if (hashes.length < (end - first) * TILE_WIDTH) return false;
  const roots = Array.from({ length: end - first }, (_, at) => {
    const tree = MerkleTree.empty();
    for (const hash of hashes.slice(at * TILE_WIDTH, (at + 1) * TILE_WIDTH)) tree.append(hash);
    return tree.root();
  });
  await tx.query(
    `INSERT INTO audit_tile_roots (level, index, hash)
     SELECT $1, index, hash FROM unnest($2::bigint[], $3::bytea[]) AS root (index, hash) ON CONFLICT DO NOTHING`,
    [level, roots.map((_, at) => first + at), roots],
  );
  return end < full;
}
