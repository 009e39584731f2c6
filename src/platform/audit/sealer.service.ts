import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { inTransaction } from '../database/transaction.js';
import { BrokenLog } from './broken-log.js';
import { checkpointText, openCheckpoint } from './checkpoint.js';
import { LEAF_COLUMNS, LEAF_VERSION, leafOf, leafText, type LeafRow } from './leaf.js';
import { LogKey } from './log-key.service.js';
import { leafHash, MerkleTree } from './merkle-tree.js';
import { NoteError, type NoteVerifier } from './signed-note.js';

/** Entries in one transaction: some ten milliseconds of work, so that nothing else in the process waits long. */
const MOST = 1_000;

/**
 * Gives entries their place in the log and signs a checkpoint. Unsealed rows are looked for, never "those after the last
 * one": a transaction that began early may commit late, and its entry is sealed then.
 */
@Injectable()
export class Sealer {
  constructor(
    private readonly db: DataSource,
    private readonly key: LogKey,
  ) {}

  /** Seals what is there; nothing while another process does, or before there is a key. @throws BrokenLog */
  async seal(): Promise<number> {
    let all = 0;
    for (;;) {
      const sealed = await inTransaction(this.db, (tx) => this.sealSome(tx));
      all += sealed;
      if (sealed < MOST) return all;
    }
  }

  private async sealSome(tx: EntityManager): Promise<number> {
    const waiting = await queryRows(tx, `SELECT FROM audit_entries WHERE leaf_index IS NULL LIMIT 1`);
    if (waiting.length === 0) return 0;
    const [log] = await queryRows<LogState>(tx, `SELECT size, frontier FROM audit_log FOR UPDATE SKIP LOCKED`);
    const signer = log && (await this.key.signer(tx));
    if (!signer) return 0;
    const tree = await treeSoFar(tx, log, signer.verifier);
    const first = tree.size;
    // Read under the lock: what another process has just sealed isn't among them.
    const rows = await queryRows<LeafRow>(
      tx,
      `SELECT ${LEAF_COLUMNS} FROM audit_entries WHERE leaf_index IS NULL ORDER BY audit_entries.at, id LIMIT $1`,
      [MOST],
    );
    const hashes = rows.map((row) => leafHash(leafText(leafOf({ ...row, leafVersion: LEAF_VERSION }))));
    for (const hash of hashes) tree.append(hash);
    await tx.query(
      `UPDATE audit_entries e SET leaf_index = s.leaf_index, leaf_hash = s.leaf_hash, leaf_version = $4
       FROM unnest($1::uuid[], $2::bigint[], $3::bytea[]) AS s (id, leaf_index, leaf_hash) WHERE e.id = s.id`,
      [rows.map(({ id }) => id), rows.map((_row, at) => first + at), hashes, LEAF_VERSION],
    );
    const { size } = tree;
    const note = signer.sign(checkpointText({ origin: signer.verifier.name, size, root: tree.root() }));
    await tx.query(`INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2)`, [size, note]);
    await tx.query(`UPDATE audit_log SET size = $1, frontier = $2`, [size, tree.frontier]);
    return rows.length;
  }
}

interface LogState {
  size: number;
  frontier: Buffer;
}

/** The tree as the sealer left it, which has to be what its last checkpoint says. */
async function treeSoFar(tx: EntityManager, { size, frontier }: LogState, verifier: NoteVerifier): Promise<MerkleTree> {
  if (size === 0) return MerkleTree.empty();
  const [last] = await queryRows<{ note: string }>(tx, `SELECT note FROM audit_checkpoints WHERE size = $1`, [size]);
  if (!last) throw new BrokenLog(`The checkpoint of ${size} entries is gone.`);
  try {
    const tree = MerkleTree.of(size, frontier);
    if (tree.root().equals(openCheckpoint(last.note, verifier).root)) return tree;
  } catch (error) {
    if (!(error instanceof NoteError || error instanceof RangeError)) throw error;
    throw new BrokenLog(error.message, { cause: error });
  }
  throw new BrokenLog(`The state of the log isn’t what its checkpoint of ${size} entries says.`);
}
