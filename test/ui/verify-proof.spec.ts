import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkpointText } from '../../src/platform/audit/checkpoint.js';
import { leafHash, nodeHash } from '../../src/platform/audit/merkle-tree.js';
import { NoteSigner } from '../../src/platform/audit/signed-note.js';
import type { AuditProof } from '../../ui/src/api/types.js';
import { verifyProof } from '../../ui/src/pages/audit/verify-proof.js';

/** A log of three entries, as the sealer makes it, with the proof of each. */
const log = new NoteSigner('qm.acme.example/log', randomBytes(32));
const leaves = ['{"id":"e0"}', '{"id":"e1"}', '{"id":"e2"}'] as const;
const [first, second, third] = [leafHash(leaves[0]), leafHash(leaves[1]), leafHash(leaves[2])];
const left = nodeHash(first, second);
const checkpoint = log.sign(checkpointText({ origin: 'qm.acme.example/log', size: 3, root: nodeHash(left, third) }));
const ways = [[second, third], [first, third], [left]] as const;

const proofOf = (index: 0 | 1 | 2): AuditProof => ({
  key: log.verifier.toString(),
  checkpoint,
  leaf: leaves[index],
  index,
  hashes: ways[index].map((hash) => hash.toString('base64')),
});
const { subtle } = globalThis.crypto;
const verdict = async (proof: AuditProof, entryId: string) => (await verifyProof(proof, entryId, subtle)).kind;

describe('a proof, checked in a browser', () => {
  it.each([0, 1, 2] as const)('holds for entry %i of the log as the server sealed it', async (index) => {
    expect(await verifyProof(proofOf(index), `e${index}`, subtle)).toEqual({ kind: 'proved', size: 3 });
  });

  it('fails for an entry that was changed, at another place, or with another way', async () => {
    expect(await verdict({ ...proofOf(1), leaf: '{"id":"e1","by":"Eve"}' }, 'e1')).toBe('refuted');
    expect(await verdict({ ...proofOf(1), index: 0 }, 'e1')).toBe('refuted');
    expect(await verdict({ ...proofOf(1), hashes: [] }, 'e1')).toBe('refuted');
  });

  it('fails for another entry than the one that was asked for, and for one that can’t be read', async () => {
    expect(await verdict(proofOf(1), 'e0')).toBe('refuted');
    for (const leaf of ['{"id":', 'null', '7']) expect(await verdict({ ...proofOf(1), leaf }, 'e1')).toBe('refuted');
  });

  it('fails for a checkpoint that another key signed, or that was changed after it was signed', async () => {
    const forger = new NoteSigner('qm.acme.example/log', randomBytes(32));
    const forged = forger.sign(checkpointText({ origin: 'qm.acme.example/log', size: 3, root: nodeHash(left, third) }));
    expect(await verdict({ ...proofOf(0), checkpoint: forged }, 'e0')).toBe('unreadable');
    const otherRoot = nodeHash(nodeHash(leafHash('{"id":"e0","by":"Eve"}'), second), third).toString('base64');
    const changed = checkpoint.replace(/^[A-Za-z0-9+/=]{44}$/m, otherRoot);
    const other = { ...proofOf(0), leaf: '{"id":"e0","by":"Eve"}', checkpoint: changed };
    expect(await verdict(other, 'e0')).toBe('bad-signature');
  });

  it('leaves the signatures of others alone', async () => {
    const witness = new NoteSigner('witness.example', randomBytes(32));
    const [, signature] = witness.sign(checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1)).split('\n\n');
    expect(await verdict({ ...proofOf(2), checkpoint: `${checkpoint}${signature}` }, 'e2')).toBe('proved');
  });

  it('isn’t told when the browser can’t check it', async () => {
    expect((await verifyProof(proofOf(0), 'e0', null)).kind).toBe('unreadable');
  });
});
