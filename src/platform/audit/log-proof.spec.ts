import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../../test/support/memory-log.js';
import { checkpointText } from './checkpoint.js';
import { checkProof, parseProof, proofText } from './log-proof.js';
import { NoteSigner } from './signed-note.js';
import { TreeProofs } from './tree-proofs.js';

const signer = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const log = new MemoryLog(['{"is":"one"}', '{"is":"zwölf 🦊"}', '{"is":"three"}']);

async function proofOf(index: number, by = signer): Promise<string> {
  const root = log.rootAt(3);
  const checkpoint = by.sign(checkpointText({ origin: by.verifier.name, size: 3, root }));
  const hashes = await new TreeProofs(log).inclusion(index, 3);
  return proofText({ leaf: log.leaves[index] ?? '', index, hashes, checkpoint });
}

describe('the proof of an entry', () => {
  it('is read as it was written, with its entry, and holds', async () => {
    const proof = parseProof(await proofOf(1));
    expect(proof).toMatchObject({ leaf: '{"is":"zwölf 🦊"}', index: 1 });
    expect(checkProof(proof, signer.verifier)).toBe(3);
  });

  it('holds for no other entry and no other place, and not when another key signed', async () => {
    const proof = parseProof(await proofOf(1));
    const stranger = new NoteSigner('acme.example/audit', Buffer.alloc(32, 8));
    expect(() => checkProof({ ...proof, leaf: '{"is":"two"}' }, signer.verifier)).toThrow('doesn’t hold this entry');
    expect(() => checkProof({ ...proof, index: 0 }, signer.verifier)).toThrow('at place 0');
    expect(() => checkProof({ ...proof, index: 9 }, signer.verifier)).toThrow('at place 9');
    expect(() => checkProof(proof, stranger.verifier)).toThrow('isn’t signed by');
  });

  it.each([
    ['', 'This is no proof'],
    ['something else\nindex 1\n\n', 'This is no proof'],
    ['c2sp.org/tlog-proof@v1\nindex 1\n\n', 'doesn’t hold its entry'],
    ['c2sp.org/tlog-proof@v1\nextra e30=\nindex 01\n\n', 'can’t be read'],
    ['c2sp.org/tlog-proof@v1\nextra e30=\nindex 1\nshort\n\n', 'can’t be read'],
  ])('that says %j is refused', (text, why) => {
    expect(() => parseProof(text)).toThrow(why);
  });
});
