import { NoteError } from './signed-note.js';

/** What a log sends to a witness (c2sp.org/tlog-witness, `add-checkpoint`). */
export interface AddCheckpoint {
  /** Of the tree that the witness cosigned last; 0 for none. */
  oldSize: number;
  /** That the tree of `oldSize` is the checkpoint's beginning (RFC 6962, section 2.1.2). */
  proof: readonly Buffer[];
  /** A signed note. */
  checkpoint: string;
}

/** The media type of the answer that says how large the witness's newest tree is. */
export const TREE_SIZE = 'text/x.tlog.size';

/** No tree needs more. */
const LONGEST_PROOF = 63;

export function addCheckpointText({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  return `${[`old ${oldSize}`, ...proof.map((hash) => hash.toString('base64'))].join('\n')}\n\n${checkpoint}`;
}

/** Reads a request as strictly as it is written. Throws `NoteError`. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf('\n\n');
  const [old = '', ...hashes] = body.slice(0, Math.max(end, 0)).split('\n');
  const [, size = ''] = /^old (0|[1-9]\d{0,15})$/.exec(old) ?? [];
  if (end < 0 || size === '' || !Number.isSafeInteger(Number(size))) {
    throw new NoteError('This is no request to add a checkpoint: it begins with the old size.');
  }
  if (hashes.length > LONGEST_PROOF) throw new NoteError(`No proof has more than ${LONGEST_PROOF} hashes.`);
  const proof = hashes.map((text) => Buffer.from(text, 'base64'));
  if (proof.some((hash, at) => hash.length !== 32 || hash.toString('base64') !== hashes[at])) {
    throw new NoteError('A line of the proof is no hash.');
  }
  return { oldSize: Number(size), proof, checkpoint: body.slice(end + 2) };
}
