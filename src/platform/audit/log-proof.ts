import { z } from 'zod';
import { openCheckpoint } from './checkpoint.js';
import { leafHash } from './merkle-tree.js';
import { NoteError, type NoteVerifier } from './signed-note.js';
import { rootOfInclusion } from './tree-proofs.js';

/** That an entry is in a log, for whoever has the log's key and nothing else (c2sp.org/tlog-proof). */
export interface LogProof {
  /** The leaf's data, as it was sealed: it goes along as the format's extra data. */
  leaf: string;
  index: number;
  hashes: readonly Buffer[];
  /** The signed checkpoint that speaks for the entry. */
  checkpoint: string;
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
const Hash = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32);
const Index = z
  .string()
  .regex(/^index (0|[1-9]\d{0,15})$/)
  .transform((line) => Number(line.slice('index '.length)));
const Extra = z
  .string()
  .regex(/^extra [A-Za-z0-9+/]+=*$/)
  .transform((line) => Buffer.from(line.slice('extra '.length), 'base64').toString('utf8'));

export function proofText({ leaf, index, hashes, checkpoint }: LogProof): string {
  const lines = [
    FIRST_LINE,
    `extra ${Buffer.from(leaf).toString('base64')}`,
    `index ${index}`,
    ...hashes.map((hash) => hash.toString('base64')),
  ];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** @throws NoteError when it isn't one, or one without its entry */
export function parseProof(text: string): LogProof {
  const cut = text.indexOf('\n\n');
  const [first, extra, index, ...hashes] = text.slice(0, Math.max(cut, 0)).split('\n');
  if (cut < 0 || first !== FIRST_LINE) throw new NoteError(`This is no proof: it doesn’t begin with ${FIRST_LINE}.`);
  const parsed = z
    .object({ leaf: Extra, index: Index, hashes: z.array(Hash) })
    .safeParse({ leaf: extra, index, hashes });
  if (!parsed.success) throw new NoteError('This proof can’t be read: it is damaged, or it doesn’t hold its entry.');
  return { ...parsed.data, checkpoint: text.slice(cut + 2) };
}

/**
 * Holds the entry against the proof, and the proof against the signature.
 * @returns how large the log was that the checkpoint speaks for
 * @throws NoteError that says what isn't right
 */
export function checkProof({ leaf, index, hashes, checkpoint }: LogProof, verifier: NoteVerifier): number {
  const { size, root } = openCheckpoint(checkpoint, verifier);
  if (!rootOfInclusion(leafHash(leaf), index, size, hashes)?.equals(root)) {
    throw new NoteError(`The log of ${size} entries that was signed doesn’t hold this entry at place ${index}.`);
  }
  return size;
}
