import type { DataSource, EntityManager } from 'typeorm';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';
import { BrokenLog } from './broken-log.js';
import { openCheckpoint, type Checkpoint } from './checkpoint.js';
import { checkpointToPublish, COSIGNED_NOTE } from './cosigned-checkpoints.js';
import { LEAF_COLUMNS, leafOf, leafText, type LeafRow } from './leaf.js';
import { verifierOf } from './log-key.service.js';
import { inOneMoment } from './log-reader.js';
import type { LogShelf } from './log-shelf.js';
import { leafHash } from './merkle-tree.js';
import { NoteError, readNote, type NoteVerifier } from './signed-note.js';
import { keepTileRoots, storedTree } from './stored-tree.js';
import { bundlePath, entryBundle, newTiles, TILE_WIDTH, tilePath } from './tiles.js';
import { TreeProofs } from './tree-proofs.js';

/** Entries that are published with one checkpoint, when there is more to catch up with: some megabytes of memory. */
const MOST = 32 * TILE_WIDTH;
/** Seconds for which a checkpoint may wait for a witness, while an older one has its cosignature. */
const COSIGNING = 15;
/** Files on their way at the same time. */
const AT_ONCE = 8;

/** What is at a place. */
export interface Published {
  /** Of its checkpoint; 0 without one. */
  size: number;
  /** How many witnesses have cosigned that. */
  cosignatures: number;
}

interface Shipment {
  files: { path: string; content: Buffer }[];
  /** Null when what is to be there is there. */
  checkpoint: { size: number; note: string } | null;
  /** No other one has to follow. */
  isLast: boolean;
  published: Published;
}

/**
 * Publishes what was sealed since the newest checkpoint at this place: tiles and entries first, then the checkpoint that
 * speaks for them, so that whoever reads there finds all of it. What is there is never replaced by something else.
 *
 * @param mayGoOn asked before each few files and before the checkpoint; throws when another publisher took over
 * @returns what is published there now
 * @throws BrokenLog when this log isn't the one that was published there: it was forked, or its end was cut off; Problem
 *   `conflict` when what is missing there was dropped here
 */
export async function publishLog(
  db: DataSource,
  shelf: LogShelf,
  mayGoOn: () => Promise<void> = () => Promise.resolve(),
): Promise<Published> {
  await keepTileRoots(db);
  for (;;) {
    const there = await shelf.read('checkpoint');
    const { files, checkpoint, isLast, published } = await inOneMoment(db, (tx) => prepare(tx, there));
    if (!checkpoint) return published;
    for (let at = 0; at < files.length; at += AT_ONCE) {
      await mayGoOn();
      await Promise.all(files.slice(at, at + AT_ONCE).map((file) => put(shelf, file)));
    }
    await mayGoOn();
    await shelf.write('checkpoint', checkpoint.note);
    if (isLast) return { size: checkpoint.size, cosignatures: cosignaturesIn(checkpoint.note) };
  }
}

async function prepare(tx: EntityManager, there: Buffer | null): Promise<Shipment> {
  const verifier = await verifierOf(tx);
  if (!verifier) return { files: [], checkpoint: null, isLast: true, published: { size: 0, cosignatures: 0 } };
  const proofs = new TreeProofs(storedTree(tx));
  const found = there && opened(there.toString('utf8'), verifier);
  const size = found?.size ?? 0;
  const [log] = await queryRows<{ size: number; keptFrom: number }>(
    tx,
    `SELECT size, kept_from AS "keptFrom" FROM audit_log`,
  );
  const sealed = log?.size ?? 0;
  if (size > sealed) {
    throw new BrokenLog(`The end was cut off: ${size} entries were published, and ${sealed} are here.`);
  }
  if (log && size < log.keptFrom) {
    throw new Problem(
      'conflict',
      `${size} entries are published there, and those up to ${log.keptFrom} were dropped here.`,
    );
  }
  if (found && !(await rootOf(proofs, size)).equals(found.root)) {
    throw new BrokenLog(`The log was forked: what was published isn’t what its first ${size} entries are here.`);
  }
  const published = { size, cosignatures: there ? cosignaturesIn(there.toString('utf8')) : 0 };
  const { checkpoint, isLast } = await nextCheckpoint(tx, published);
  if (!checkpoint) return { files: [], checkpoint, isLast, published };
  const spoken = openCheckpoint(checkpoint.note, verifier);
  if (!(await rootOf(proofs, spoken.size)).equals(spoken.root)) {
    throw new BrokenLog(`The entries aren’t what the checkpoint of ${spoken.size} entries says.`);
  }
  return { files: await filesOf(tx, size, spoken.size), checkpoint, isLast, published };
}

function opened(note: string, verifier: NoteVerifier): Checkpoint {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new BrokenLog(`What was published there isn’t this log: ${error.message}`, { cause: error });
  }
}

async function rootOf(proofs: TreeProofs, size: number): Promise<Buffer> {
  return proofs.root(size).catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    throw new BrokenLog(`Entries are missing within the first ${size}.`, { cause: error });
  });
}

/** The one to publish, or where that is far ahead one on the way; none when it is there, with all its cosignatures. */
async function nextCheckpoint(
  tx: EntityManager,
  { size, cosignatures }: Published,
): Promise<Pick<Shipment, 'checkpoint' | 'isLast'>> {
  const wanted = await checkpointToPublish(tx, size, COSIGNING);
  const isThere =
    !wanted || wanted.size < size || (wanted.size === size && cosignaturesIn(wanted.note) <= cosignatures);
  if (isThere) return { checkpoint: null, isLast: true };
  if (wanted.size <= size + MOST) return { checkpoint: wanted, isLast: true };
  const [next] = await queryRows<{ size: number; note: string }>(
    tx,
    `(SELECT c.size, ${COSIGNED_NOTE} AS note FROM audit_checkpoints c WHERE c.size > $1 AND c.size <= $2 ORDER BY c.size DESC LIMIT 1)
     UNION ALL (SELECT c.size, ${COSIGNED_NOTE} AS note FROM audit_checkpoints c WHERE c.size > $1 ORDER BY c.size LIMIT 1) LIMIT 1`,
    [size, size + MOST],
  );
  return next ? { checkpoint: next, isLast: next.size === wanted.size } : { checkpoint: wanted, isLast: true };
}

/** Beside the log's own signature. */
function cosignaturesIn(note: string): number {
  return readNote(note).signatures.length - 1;
}

async function filesOf(tx: EntityManager, before: number, size: number): Promise<Shipment['files']> {
  const files: Shipment['files'] = [];
  const source = storedTree(tx);
  for (const tile of newTiles(before, size)) {
    const first = tile.index * TILE_WIDTH;
    if (tile.level === 0) files.push({ path: bundlePath(tile), content: await bundleOf(tx, first, tile.width) });
    const hashes = await source.hashes(tile.level, first, tile.width);
    files.push({ path: tilePath(tile), content: Buffer.concat(hashes) });
  }
  return files;
}

async function bundleOf(tx: EntityManager, first: number, width: number): Promise<Buffer> {
  const rows = await queryRows<LeafRow & { index: number; hash: Buffer }>(
    tx,
    `SELECT leaf_index AS index, leaf_hash AS hash, ${LEAF_COLUMNS} FROM audit_entries
     WHERE leaf_index >= $1 AND leaf_index < $2 ORDER BY leaf_index`,
    [first, first + width],
  );
  const leaves = rows.map((row) => ({ ...row, text: leafText(leafOf(row)) }));
  const changed = leaves.find(({ text, hash }) => !leafHash(text).equals(hash));
  if (changed) throw new BrokenLog(`Entry ${changed.index} was changed: it isn’t what was sealed.`);
  return entryBundle(leaves.map(({ text }) => text));
}

async function put(shelf: LogShelf, { path, content }: { path: string; content: Buffer }): Promise<void> {
  const there = await shelf.read(path);
  if (there === null) return shelf.write(path, content);
  // From a publisher that didn't come to its checkpoint; the same entries give the same bytes.
  if (!there.equals(content)) throw new BrokenLog(`${path} was published with other content: the log was forked.`);
}
