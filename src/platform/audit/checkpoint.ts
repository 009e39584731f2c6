import { NoteError, type NoteVerifier } from './signed-note.js';

/** How large a log was and what was in it, in 32 bytes (c2sp.org/tlog-checkpoint). Whoever keeps one can prove a later change. */
export interface Checkpoint {
  /** Which log: the name of its key. */
  origin: string;
  size: number;
  root: Buffer;
}

/** The text that is signed. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** Reads a signed checkpoint and checks who signed it. Throws `NoteError`. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Checkpoint {
  const checkpoint = checkpointOf(verifier.open(note));
  if (checkpoint.origin !== verifier.name)
    throw new NoteError(`This is a checkpoint of the log “${checkpoint.origin}”, not of “${verifier.name}”.`);
  return checkpoint;
}

/** Reads the text that was signed, which may have further lines. Throws `NoteError`. */
export function checkpointOf(text: string): Checkpoint {
  const [origin = '', size = '', root = ''] = text.split('\n');
  const bytes = Buffer.from(root, 'base64');
  if (!/^(0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)) || bytes.length !== 32) {
    throw new NoteError('This is no checkpoint of a log.');
  }
  return { origin, size: Number(size), root: bytes };
}
