import type { DataSource } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';
import { BrokenLog } from './broken-log.js';
import { openCheckpoint } from './checkpoint.js';
import { newestCheckpoint, newestCosigned } from './cosigned-checkpoints.js';
import { LEAF_COLUMNS, leafOf, leafText, type LeafRow } from './leaf.js';
import { verifierOf } from './log-key.service.js';
import type { LogProof } from './log-proof.js';
import { inOneMoment } from './log-reader.js';
import { leafHash } from './merkle-tree.js';
import { keepTileRoots, storedTree } from './stored-tree.js';
import { rootOfInclusion, TreeProofs } from './tree-proofs.js';

/** An entry that is in the log, with the way from it to the checkpoint's root. */
export type ProvedEntry = Omit<LogProof, 'checkpoint'> & { entry: object };

export interface ProvedEntries {
  /** The log's public key, for whoever kept it elsewhere to compare. */
  key: string;
  /** One signed checkpoint that all proofs lead to: the newest that a witness cosigned, if it speaks for all of them. */
  checkpoint: string;
  entries: readonly ProvedEntry[];
  /** Ids of those that have no place in the log yet. */
  unsealed: readonly string[];
}

/**
 * Proofs that these entries are in the log as it was sealed, each held against the checkpoint before it is handed out.
 *
 * @param where a condition on `audit_entries` with `$1`, from this code and from nobody's input
 * @throws Problem `conflict` while the log has no key or no checkpoint, BrokenLog when an entry isn't what was sealed
 */
export async function proveEntries(db: DataSource, where: string, parameter: unknown): Promise<ProvedEntries> {
  await keepTileRoots(db);
  return inOneMoment(db, async (tx) => {
    const verifier = await verifierOf(tx);
    const newest = await newestCheckpoint(tx);
    if (!verifier || !newest) {
      throw new Problem(
        'conflict',
        'The audit log isn’t sealed yet: a worker does it within a second of its first entry.',
      );
    }
    const rows = await queryRows<LeafRow & { index: number | null }>(
      tx,
      `SELECT leaf_index AS index, ${LEAF_COLUMNS} FROM audit_entries
       WHERE ${where} AND (leaf_index IS NULL OR leaf_index >= (SELECT kept_from FROM audit_log)) ORDER BY leaf_index, id`,
      [parameter],
    );
    const covered = rows.reduce((most, { index }) => Math.max(most, (index ?? -1) + 1), 0);
    const { note: checkpoint } = (await newestCosigned(tx, covered)) ?? newest;
    const { size, root } = openCheckpoint(checkpoint, verifier);
    const proofs = new TreeProofs(storedTree(tx));
    const entries: ProvedEntry[] = [];
    const unsealed: string[] = [];
    for (const row of rows) {
      if (row.index === null || row.index >= size) {
        unsealed.push(row.id);
        continue;
      }
      const entry = leafOf(row);
      const leaf = leafText(entry);
      const hashes = await proofs.inclusion(row.index, size);
      if (!rootOfInclusion(leafHash(leaf), row.index, size, hashes)?.equals(root)) {
        throw new BrokenLog(`Entry ${row.index} isn’t what the checkpoint of ${size} entries says.`);
      }
      entries.push({ entry, leaf, index: row.index, hashes });
    }
    return { key: verifier.toString(), checkpoint, entries, unsealed };
  });
}
