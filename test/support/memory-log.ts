import { leafHash, MerkleTree, nodeHash } from '../../src/platform/audit/merkle-tree.js';
import { TILE_WIDTH } from '../../src/platform/audit/tiles.js';
import type { HashSource } from '../../src/platform/audit/tree-proofs.js';

/** The hashes of a log in memory, made without the code that is tested. */
export class MemoryLog implements HashSource {
  private readonly levels: Buffer[][];

  constructor(readonly leaves: readonly string[]) {
    this.levels = [leaves.map((leaf) => leafHash(leaf))];
    for (let below = this.levels[0] ?? []; below.length >= TILE_WIDTH; below = this.levels.at(-1) ?? []) {
      const full = Math.floor(below.length / TILE_WIDTH);
      this.levels.push(
        [...Array(full).keys()].map((at) => halves(below.slice(at * TILE_WIDTH, (at + 1) * TILE_WIDTH))),
      );
    }
  }

  hashes(level: number, first: number, count: number): Promise<readonly Buffer[]> {
    return Promise.resolve((this.levels[level] ?? []).slice(first, first + count));
  }

  /** By appending one leaf after the other, as the sealer does. */
  rootAt(size: number): Buffer {
    const tree = MerkleTree.empty();
    for (const hash of (this.levels[0] ?? []).slice(0, size)) tree.append(hash);
    return tree.root();
  }
}

function halves(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only && hashes.length === 1) return only;
  const middle = hashes.length / 2;
  return nodeHash(halves(hashes.slice(0, middle)), halves(hashes.slice(middle)));
}
