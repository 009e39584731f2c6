import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import { Problem } from '../errors/problem.js';
import type { Actor } from '../sign-in/actor.js';
import type { AuditService } from './audit.service.js';
import { BrokenLog } from './broken-log.js';
import { LogCheck } from './check-log.js';
import { ENTRIES_DROPPED } from './leaf.js';
import { verifierOf } from './log-key.service.js';
import { inOneMoment, readLog } from './log-reader.js';
import { MerkleTree } from './merkle-tree.js';
import { keepTileRoots, storedTree } from './stored-tree.js';
import { TILE_WIDTH } from './tiles.js';

/** Rows in one transaction, so that nothing waits for long. */
const MOST = 10_000;

export interface DropWish {
  /** Only entries from before; the first that isn't, and all after it, stay. */
  before: Date;
  /** Also what isn't at every place where the log is published. */
  evenUnpublished: boolean;
}

/**
 * Drops the oldest entries, in whole tiles. The tree keeps what it has to know of them: later entries, their proofs and
 * all checkpoints from then on stay valid. The log is verified first, and an entry of it tells what was dropped.
 *
 * @returns the place of the first entry that is kept
 * @throws BrokenLog when the log isn't as it was sealed; Problem `conflict` when there is no key, no copy elsewhere, or a
 *   witness that has not seen it all
 */
export async function dropEntries(
  db: DataSource,
  audit: AuditService,
  actor: Actor,
  wish: DropWish,
): Promise<{ dropped: number; keptFrom: number }> {
  await keepTileRoots(db);
  const { keptFrom, end, frontier } = await inOneMoment(db, (tx) => verifiedBefore(tx, wish.before));
  if (end > keptFrom) {
    await inTransaction(db, async (tx) => {
      if (!wish.evenUnpublished) await refuseUnpublished(tx, end);
      await refuseUnwitnessed(tx, end);
      const moved = await queryRows(
        tx,
        `UPDATE audit_log SET kept_from = $1, kept_frontier = $2 WHERE kept_from = $3 RETURNING kept_from`,
        [end, frontier, keptFrom],
      );
      if (moved.length === 0) throw new Problem('conflict', 'Somebody else drops entries at this moment.');
      await audit.record(tx, actor, ENTRIES_DROPPED, {
        facts: { keptFrom: end, dropped: end - keptFrom, before: wish.before.toISOString() },
      });
    });
  }
  // Also what an earlier command that didn't come to its end has left.
  while (await inTransaction(db, deleteSome));
  return { dropped: end - keptFrom, keptFrom: end };
}

/** Goes through the whole log; nothing is dropped of one that can't be shown to be right, or whose proofs would break. */
async function verifiedBefore(
  tx: EntityManager,
  before: Date,
): Promise<{ keptFrom: number; end: number; frontier: Buffer }> {
  const verifier = await verifierOf(tx);
  if (!verifier) throw new Problem('conflict', 'The audit log has no key yet. Run `quartermaster init`.');
  const [log] = await queryRows<{ keptFrom: number; size: number; firstLater: number | null }>(
    tx,
    `SELECT kept_from AS "keptFrom", size, (
       SELECT min(leaf_index) FROM audit_entries WHERE leaf_index >= kept_from AND at >= $1
     ) AS "firstLater" FROM audit_log`,
    [before],
  );
  const { keptFrom = 0, size = 0, firstLater = null } = log ?? {};
  const end = Math.max(keptFrom, Math.floor((firstLater ?? size) / TILE_WIDTH) * TILE_WIDTH);
  const check = new LogCheck(verifier);
  let tree = MerkleTree.empty();
  const tiles: Buffer[] = [];
  let tile = MerkleTree.empty();
  for await (const part of readLog(tx)) {
    check.part(part);
    if ('start' in part) tree = MerkleTree.of(part.start.size, part.start.frontier);
    if (!('entry' in part) || part.entry.index >= end) continue;
    tree.append(part.entry.hash);
    tile.append(part.entry.hash);
    if (tile.size === TILE_WIDTH) {
      tiles.push(tile.root());
      tile = MerkleTree.empty();
    }
  }
  const [finding] = check.end();
  if (finding !== undefined) throw new BrokenLog(finding);
  const kept = await storedTree(tx).hashes(1, keptFrom / TILE_WIDTH, tiles.length);
  if (kept.length < tiles.length || !tiles.every((root, at) => kept[at]?.equals(root))) {
    throw new BrokenLog('What is kept of the tree isn’t what the entries say: their proofs would be lost with them.');
  }
  return { keptFrom, end, frontier: tree.frontier };
}

async function refuseUnpublished(tx: EntityManager, end: number): Promise<void> {
  const behind = await queryRows<{ target: string; size: number }>(
    tx,
    `SELECT target, size FROM audit_publications WHERE size < $1 ORDER BY target`,
    [end],
  );
  if (behind.length === 0) return;
  const places = behind.map(({ target, size }) => `${target} has ${size}`).join(', ');
  throw new Problem('conflict', `Of the first ${end} entries ${places}: they would be nowhere any more.`);
}

/** A witness asks to be shown that the log goes on where it saw it end: within dropped entries nobody can show that. */
async function refuseUnwitnessed(tx: EntityManager, end: number): Promise<void> {
  const [behind] = await queryRows<{ name: string; size: number }>(
    tx,
    `SELECT name, size FROM audit_witnesses WHERE removed_at IS NULL AND size > 0 AND size < $1 ORDER BY size LIMIT 1`,
    [end],
  );
  if (!behind) return;
  throw new Problem(
    'conflict',
    `The witness ${behind.name} has seen ${behind.size} of the first ${end} entries only. Wait until it has seen all, or remove it.`,
  );
}

async function deleteSome(tx: EntityManager): Promise<boolean> {
  const [deleted] = await queryRows<{ count: number }>(
    tx,
    `WITH oldest AS (
       SELECT id FROM audit_entries WHERE leaf_index < (SELECT kept_from FROM audit_log) ORDER BY leaf_index LIMIT $1
     ), fields AS (
       DELETE FROM audit_personal_fields WHERE entry_id IN (SELECT id FROM oldest)
     ), entries AS (
       DELETE FROM audit_entries WHERE id IN (SELECT id FROM oldest) RETURNING id
     ) SELECT count(*)::int AS count FROM entries`,
    [MOST],
  );
  return deleted?.count === MOST;
}
