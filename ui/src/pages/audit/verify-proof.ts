import type { AuditProof } from '../../api/types.js';

export type Verdict =
  | { kind: 'proved'; size: number }
  /** The entry leads to the root, and nobody could check who signed it. */
  | { kind: 'unchecked'; size: number }
  | { kind: 'refuted' | 'bad-signature' | 'unreadable' };

type Bytes = Uint8Array<ArrayBuffer>;
type Subtle = typeof globalThis.crypto.subtle;

const ED25519 = 1;
const encoder = new TextEncoder();

/**
 * Whether an entry is in the log that was signed: by the proof alone, in this browser, so that nobody has to believe the
 * server. The tree is RFC 6962's; checkpoint and note are C2SP's (c2sp.org/tlog-checkpoint, c2sp.org/signed-note).
 * @param entryId of the entry that was asked for: a proof of another one proves nothing of it
 * @param crypto null where the browser offers none: over plain http
 */
export async function verifyProof(proof: AuditProof, entryId: string, crypto: Subtle | null): Promise<Verdict> {
  const note = readNote(proof.checkpoint, proof.key);
  if (!note || !crypto) return { kind: 'unreadable' };
  if (leafOf(proof)?.['id'] !== entryId) return { kind: 'refuted' };
  const hash = async (bytes: Bytes): Promise<Bytes> => new Uint8Array(await crypto.digest('SHA-256', bytes));
  const leaf = await hash(joined(Uint8Array.of(0), encoder.encode(proof.leaf)));
  const root = await rootFrom(leaf, proof.index, note.size, proof.hashes.map(fromBase64), hash);
  if (!root || !isSame(root, note.root)) return { kind: 'refuted' };
  try {
    const key = await crypto.importKey('raw', note.publicKey, { name: 'Ed25519' }, false, ['verify']);
    const isRight = await crypto.verify({ name: 'Ed25519' }, key, note.signature, encoder.encode(note.text));
    return isRight ? { kind: 'proved', size: note.size } : { kind: 'bad-signature' };
  } catch {
    // An older browser doesn't know Ed25519.
    return { kind: 'unchecked', size: note.size };
  }
}

/** What was sealed; null when it can't be read. */
export function leafOf({ leaf }: AuditProof): Record<string, unknown> | null {
  try {
    const sealed: unknown = JSON.parse(leaf);
    return typeof sealed === 'object' && sealed !== null ? { ...sealed } : null;
  } catch {
    return null;
  }
}

interface Note {
  text: string;
  size: number;
  root: Bytes;
  publicKey: Bytes;
  signature: Bytes;
}

/** A checkpoint with the signature by this key; others that signed as well, such as witnesses, are left alone. */
function readNote(checkpoint: string, key: string): Note | null {
  const [name = '', keyHash = '', ...rest] = key.split('+');
  const keyBytes = fromBase64(rest.join('+'));
  const end = checkpoint.lastIndexOf('\n\n');
  const text = checkpoint.slice(0, end + 1);
  const [origin, size = '', root = ''] = text.split('\n');
  const line = checkpoint
    .slice(end + 2)
    .split('\n')
    .map((one) => one.split(' '))
    .find(
      ([dash, signer, encoded = '']) =>
        dash === '—' && signer === name && hex(fromBase64(encoded).slice(0, 4)) === keyHash,
    );
  const isReadable = end > 0 && origin === name && /^\d{1,15}$/.test(size) && keyBytes[0] === ED25519 && line;
  if (!isReadable || keyBytes.length !== 33) return null;
  return {
    text,
    size: Number(size),
    root: fromBase64(root),
    publicKey: keyBytes.slice(1),
    signature: fromBase64(line[2] ?? '').slice(4),
  };
}

/** RFC 6962, 2.1.1: the root that the way from a leaf leads to; null when the way has another length. */
async function rootFrom(
  leaf: Bytes,
  index: number,
  size: number,
  way: readonly Bytes[],
  hash: (bytes: Bytes) => Promise<Bytes>,
): Promise<Bytes | null> {
  if (index < 0 || index >= size) return null;
  const isLeft: boolean[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + largestPowerBelow(high - low);
    isLeft.unshift(index < middle);
    if (index < middle) high = middle;
    else low = middle;
  }
  if (way.length !== isLeft.length) return null;
  let node = leaf;
  for (const [at, other] of way.entries()) {
    const [left, right] = isLeft[at] ? [node, other] : [other, node];
    node = await hash(joined(Uint8Array.of(1), left, right));
  }
  return node;
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function joined(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function fromBase64(encoded: string): Bytes {
  try {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
