import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, MerkleTree } from './merkle-tree.js';

/** The leaves and roots that the reference implementation of RFC 6962 (certificate-transparency) tests with. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** Section 2.1, word for word: split at the largest power of two below the size. */
function rootByDefinition(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (!only) return createHash('sha256').digest();
  if (leaves.length === 1) return leafHash(only);
  const half = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  const [left, right] = [rootByDefinition(leaves.slice(0, half)), rootByDefinition(leaves.slice(half))];
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

describe('the Merkle tree', () => {
  it('has the roots of RFC 6962’s reference implementation', () => {
    const tree = MerkleTree.empty();
    expect(tree.root().toString('hex')).toBe(ROOTS[0]);
    for (const [index, leaf] of LEAVES.entries()) {
      tree.append(leafHash(Buffer.from(leaf, 'hex')));
      expect(tree.root().toString('hex')).toBe(ROOTS[index + 1]);
    }
  });

  it('is the same whether it grows at once or is put down and taken up in between, at every size', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 70 }), fc.nat(70), (data, pause) => {
        const leaves = data.map((one) => Buffer.from(one));
        let tree = MerkleTree.empty();
        for (const [index, leaf] of leaves.entries()) {
          if (index === pause) tree = MerkleTree.of(tree.size, tree.frontier);
          tree.append(leafHash(leaf));
        }
        expect(tree.size).toBe(leaves.length);
        expect(tree.root()).toEqual(rootByDefinition(leaves));
      }),
    );
  });

  it('is refused when what was kept of it doesn’t fit its size', () => {
    expect(() => MerkleTree.of(3, Buffer.alloc(32))).toThrow('no frontier');
    expect(() => MerkleTree.of(-1, Buffer.alloc(0))).toThrow('no size');
  });
});
