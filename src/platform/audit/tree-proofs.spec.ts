import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../test/support/memory-log.js';
import { leafHash } from './merkle-tree.js';
import { isConsistent, rootOfInclusion, TreeProofs } from './tree-proofs.js';

const log = new MemoryLog([...Array(70_000).keys()].map((at) => `entry ${at}`));
const proofs = new TreeProofs(log);
const leaf = (index: number) => leafHash(log.leaves[index] ?? '');

/** All small pairs, the borders of tiles and of tiles' tiles, and some in between. */
const PAIRS = [
  ...[...Array(18).keys()].flatMap((size) => [...Array(size + 1).keys()].map((part): [number, number] => [part, size])),
  ...[255, 256, 257, 65_535, 65_536, 65_537, 70_000].flatMap((size): [number, number][] => [
    [1, size],
    [255, size],
    [size - 1, size],
    [size, size],
    [randomInt(size), size],
  ]),
];

describe('the proofs of a tree', () => {
  it.each([0, 1, 2, 3, 255, 256, 257, 65_536, 65_792, 70_000])(
    'know its root when it had %i entries, without going through them',
    async (size) => {
      expect((await proofs.root(size)).toString('hex')).toBe(log.rootAt(size).toString('hex'));
    },
  );

  it('lead from each entry to the root, from no other, and not past a changed hash', async () => {
    for (const [index, size] of PAIRS.filter(([one, other]) => one < other)) {
      const hashes = await proofs.inclusion(index, size);
      const root = await proofs.root(size);
      expect(rootOfInclusion(leaf(index), index, size, hashes), `${index} of ${size}`).toEqual(root);
      expect(rootOfInclusion(leafHash('forged'), index, size, hashes)).not.toEqual(root);
      if (size > 1) expect(rootOfInclusion(leaf(index), (index + 1) % size, size, hashes)).not.toEqual(root);
      expect(rootOfInclusion(leaf(index), index, size, [...hashes, root])).toBeNull();
    }
    expect(rootOfInclusion(leaf(3), 3, 3, [])).toBeNull();
    await expect(proofs.inclusion(3, 3)).rejects.toThrow('no entry 3');
  });

  it('show that a log goes on where it ended, and no other does', async () => {
    for (const [before, size] of PAIRS) {
      const hashes = await proofs.consistency(before, size);
      const [old, now] = [
        { size: before, root: await proofs.root(before) },
        { size, root: await proofs.root(size) },
      ];
      expect(isConsistent(old, now, hashes), `${before} in ${size}`).toBe(true);
      if (before > 0) {
        expect(isConsistent({ size: before, root: leafHash('forged') }, now, hashes)).toBe(false);
        if (before < size) expect(isConsistent(old, { size, root: leafHash('forged') }, hashes)).toBe(false);
        expect(isConsistent(old, now, [...hashes, now.root])).toBe(false);
      }
    }
    await expect(proofs.consistency(4, 3)).rejects.toThrow('doesn’t begin with 4');
  });
});
