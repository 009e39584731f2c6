import { createHash } from 'node:crypto';
import { nodeHash } from './merkle-tree.js';
import { TILE_WIDTH } from './tiles.js';

// Proofs of RFC 6962, sections 2.1.1 and 2.1.2: that an entry is in a tree, and that one tree goes on where another ended.

const TILE_HEIGHT = Math.log2(TILE_WIDTH);

/** Where the hashes of a log are kept. */
export interface HashSource {
  /**
   * Roots of the full subtrees of 256^level leaves, in their order; level 0: the leaves' hashes.
   * @returns `count` of them, or fewer where the log ends
   */
  hashes(level: number, first: number, count: number): Promise<readonly Buffer[]>;
}

/** Says what can be said of a log's tree, as large as it was at any time, from the hashes that are kept. */
export class TreeProofs {
  private readonly tiles = new Map<string, Promise<readonly Buffer[]>>();

  constructor(private readonly source: HashSource) {}

  async root(size: number): Promise<Buffer> {
    return size === 0 ? createHash('sha256').digest() : this.range(0, size);
  }

  /** The hashes that lead from an entry to the root, the leaf's neighbour first. */
  async inclusion(index: number, size: number): Promise<Buffer[]> {
    if (index < 0 || index >= size) throw new RangeError(`a log of ${size} entries has no entry ${index}`);
    const proof: Buffer[] = [];
    let [low, high] = [0, size];
    while (high - low > 1) {
      const middle = low + largestPowerBelow(high - low);
      if (index < middle) {
        proof.unshift(await this.range(middle, high));
        high = middle;
      } else {
        proof.unshift(await this.range(low, middle));
        low = middle;
      }
    }
    return proof;
  }

  /** The hashes that show that the log of `size` entries begins with the one of `before`. */
  async consistency(before: number, size: number): Promise<Buffer[]> {
    if (before > size) throw new RangeError(`a log of ${size} entries doesn’t begin with ${before}`);
    const proof: Buffer[] = [];
    if (before === 0) return proof;
    let [low, high] = [0, size];
    while (before < high) {
      const middle = low + largestPowerBelow(high - low);
      if (before <= middle) {
        proof.unshift(await this.range(middle, high));
        high = middle;
      } else {
        proof.unshift(await this.range(low, middle));
        low = middle;
      }
    }
    // Who asks knows the root of the smaller tree, unless it is a part of it only.
    return low === 0 ? proof : [await this.range(low, high), ...proof];
  }

  private async range(low: number, high: number): Promise<Buffer> {
    const count = high - low;
    const below = largestPowerBelow(count);
    if (count === 1 || below * 2 === count) return this.subtree(Math.round(Math.log2(count)), low / count);
    return nodeHash(await this.range(low, low + below), await this.range(low + below, high));
  }

  /** The root of the full subtree of 2^height leaves with this index. */
  private async subtree(height: number, index: number): Promise<Buffer> {
    const level = Math.floor(height / TILE_HEIGHT);
    const count = 2 ** (height % TILE_HEIGHT);
    const first = index * count;
    const tile = await this.tile(level, Math.floor(first / TILE_WIDTH));
    let hashes = tile.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + count);
    if (hashes.length < count) throw new RangeError('the log is smaller than the tree that is asked for');
    while (hashes.length > 1) {
      const pairs = hashes;
      hashes = pairs.filter((_, at) => at % 2 === 0).map((left, at) => nodeHash(left, pairs[2 * at + 1] ?? left));
    }
    return hashes[0] as Buffer;
  }

  private tile(level: number, index: number): Promise<readonly Buffer[]> {
    const name = `${level}/${index}`;
    const known = this.tiles.get(name);
    if (known) return known;
    const read = this.source.hashes(level, index * TILE_WIDTH, TILE_WIDTH);
    this.tiles.set(name, read);
    return read;
  }
}

/** The root of the tree in which the proof puts the leaf; null where there can be no such proof. */
export function rootOfInclusion(leaf: Buffer, index: number, size: number, proof: readonly Buffer[]): Buffer | null {
  if (index < 0 || index >= size) return null;
  const isLeft: boolean[] = [];
  let [low, high] = [0, size];
  while (high - low > 1) {
    const middle = low + largestPowerBelow(high - low);
    isLeft.unshift(index < middle);
    if (index < middle) high = middle;
    else low = middle;
  }
  if (proof.length !== isLeft.length) return null;
  return proof.reduce((hash, other, at) => (isLeft[at] ? nodeHash(hash, other) : nodeHash(other, hash)), leaf);
}

/** Whether the proof shows that the tree of `size` begins with the one of `before`. */
export function isConsistent(
  before: { size: number; root: Buffer },
  after: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (before.size > after.size) return false;
  if (before.size === 0) return proof.length === 0;
  const isWithin: boolean[] = [];
  let [low, high] = [0, after.size];
  while (before.size < high) {
    const middle = low + largestPowerBelow(high - low);
    isWithin.unshift(before.size <= middle);
    if (before.size <= middle) high = middle;
    else low = middle;
  }
  const [start, ...others] = low === 0 ? [before.root, ...proof] : proof;
  if (!start || others.length !== isWithin.length) return false;
  let [old, now] = [start, start];
  for (const [at, other] of others.entries()) {
    now = isWithin[at] ? nodeHash(now, other) : nodeHash(other, now);
    if (!isWithin[at]) old = nodeHash(other, old);
  }
  return old.equals(before.root) && now.equals(after.root);
}

/** Where RFC 6962 divides so many leaves; 1 for one leaf. */
function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}
