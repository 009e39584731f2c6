import { hash as hashOnce } from 'node:crypto';

// The Merkle tree of RFC 6962, section 2.1, over SHA-256. A leaf and a node are hashed under different prefixes, so that
// neither can be passed off as the other.

/** SHA-256 over 0x00 and the leaf's data. */
export function leafHash(data: Uint8Array | string): Buffer {
  return sha256(Buffer.concat([LEAF, typeof data === 'string' ? Buffer.from(data) : data]));
}

/** The same of bytes that have room for the prefix before them: without a copy, for going through a whole log. */
export function leafHashInPlace(bytes: Buffer, start: number, end: number): Buffer {
  bytes[start - 1] = 0;
  return sha256(bytes.subarray(start - 1, end));
}

/**
 * What has to be remembered of a tree to let it grow: the roots of the full subtrees that it consists of, largest first,
 * one for each bit of its size that is set.
 */
export class MerkleTree {
  private constructor(
    private leaves: number,
    private readonly subtrees: Buffer[],
  ) {}

  static empty(): MerkleTree {
    return new MerkleTree(0, []);
  }

  /**
   * @param frontier what `frontier` gave, 32 bytes for each subtree
   * @throws RangeError when that isn't a tree of this size
   */
  static of(size: number, frontier: Buffer): MerkleTree {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`a tree has no size of ${size}`);
    if (frontier.length !== 32 * bitsIn(size)) throw new RangeError(`this is no frontier of a tree of ${size} leaves`);
    const subtrees = Array.from({ length: frontier.length / 32 }, (_, at) => frontier.subarray(32 * at, 32 * (at + 1)));
    return new MerkleTree(size, subtrees);
  }

  get size(): number {
    return this.leaves;
  }

  get frontier(): Buffer {
    return Buffer.concat(this.subtrees);
  }

  append(hash: Buffer): void {
    let merged = hash;
    // As in counting: each bit that carries over joins two subtrees of the same size.
    for (let rest = this.leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      merged = nodeHash(this.subtrees.pop() ?? merged, merged);
    }
    this.subtrees.push(merged);
    this.leaves += 1;
  }

  root(): Buffer {
    const [smallest, ...larger] = this.subtrees.toReversed();
    if (!smallest) return sha256(Buffer.alloc(0));
    return larger.reduce((right, left) => nodeHash(left, right), smallest);
  }
}

/** SHA-256 over 0x01 and both halves. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  pair.set(left, 1);
  pair.set(right, 33);
  return sha256(pair);
}

function bitsIn(size: number): number {
  return size.toString(2).replaceAll('0', '').length;
}

const LEAF = Buffer.of(0);
/** The prefix of a node, and room for both halves: a million of them are hashed in a row. */
const pair = Buffer.alloc(65, 1);

function sha256(data: Uint8Array): Buffer {
  // Through a string: a buffer of the hash's own would be memory outside of the heap, a million times over.
  return Buffer.from(hashOnce('sha256', data, 'binary'), 'latin1');
}
