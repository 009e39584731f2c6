import type { DataSource, EntityManager } from 'typeorm';
import type { AddCheckpoint } from '../platform/audit/add-checkpoint.js';
import { BrokenLog } from '../platform/audit/broken-log.js';
import { openCheckpoint, type Checkpoint } from '../platform/audit/checkpoint.js';
import type { Cosignature } from '../platform/audit/cosignature.js';
import { verifierOf } from '../platform/audit/log-key.service.js';
import { inOneMoment } from '../platform/audit/log-reader.js';
import { NoteError, type NoteVerifier } from '../platform/audit/signed-note.js';
import { keepTileRoots, storedTree } from '../platform/audit/stored-tree.js';
import { TreeProofs } from '../platform/audit/tree-proofs.js';
import { queryRows } from '../platform/database/query-rows.js';
import { askWitness, WitnessRefusal, type AskedWitness } from './ask-witness.js';

/** Two questions are enough, unless several processes ask at once. */
const MOST_QUESTIONS = 3;

/**
 * Gets the newest checkpoint cosigned.
 *
 * @param knownSize of the log that the witness cosigned last, as far as is known here; it corrects that
 * @throws BrokenLog when this log isn't the one that it cosigned before; what `askWitness` throws
 */
export async function cosignNewest(
  db: DataSource,
  witness: AskedWitness,
  knownSize: number,
): Promise<{ size: number; cosignature: Cosignature }> {
  await keepTileRoots(db);
  let oldSize = knownSize;
  for (let questions = 0; questions < MOST_QUESTIONS; questions += 1) {
    const { size, request } = await inOneMoment(db, (tx) => requestFor(tx, oldSize));
    const answer = await askWitness(witness, request);
    if ('cosignature' in answer) return { size, ...answer };
    // What older witnesses answer for another log of the same size, where newer ones say 422.
    if (answer.hasSize === size && oldSize === size) throw new BrokenLog(`It saw another log of ${size} entries.`);
    oldSize = answer.hasSize;
  }
  throw new WitnessRefusal('Each time it was asked, it had seen a log of another size.');
}

async function requestFor(tx: EntityManager, oldSize: number): Promise<{ size: number; request: AddCheckpoint }> {
  const verifier = await verifierOf(tx);
  const [log] = await queryRows<{ size: number; keptFrom: number; note: string }>(
    tx,
    `SELECT c.size, c.note, audit_log.kept_from AS "keptFrom" FROM audit_checkpoints c, audit_log ORDER BY c.size DESC LIMIT 1`,
  );
  if (!verifier || !log) throw new BrokenLog('Its checkpoints, or its key, are gone.');
  const { size, root } = opened(log.note, verifier);
  if (oldSize > size) throw new BrokenLog(`The end was cut off: it cosigned ${oldSize} entries, and ${size} are here.`);
  if (oldSize > 0 && oldSize < log.keptFrom) {
    throw new WitnessRefusal(
      `It saw ${oldSize} entries, and those up to ${log.keptFrom} were dropped here: nobody can show it that the log goes on from there.`,
    );
  }
  const proofs = new TreeProofs(storedTree(tx));
  try {
    if (!(await proofs.root(size)).equals(root)) {
      throw new BrokenLog(`The entries aren’t what the checkpoint of ${size} entries says.`);
    }
    const proof = await proofs.consistency(oldSize, size);
    return { size, request: { oldSize, proof, checkpoint: log.note } };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BrokenLog(`Entries are missing within the first ${size}.`, { cause: error });
  }
}

function opened(note: string, verifier: NoteVerifier): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new BrokenLog(error.message, { cause: error });
  }
}
