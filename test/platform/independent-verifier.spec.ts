import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { checkpointText } from '../../src/platform/audit/checkpoint.js';
import { Cosigner, withCosignatures } from '../../src/platform/audit/cosignature.js';
import { proofText } from '../../src/platform/audit/log-proof.js';
import { NoteSigner } from '../../src/platform/audit/signed-note.js';
import { bundlePath, entryBundle, newTiles, tilePath } from '../../src/platform/audit/tiles.js';
import { TreeProofs } from '../../src/platform/audit/tree-proofs.js';
import { buildLogVerifier, hasLogVerifier, type LogVerifier } from '../support/log-verifier.js';
import { MemoryLog } from '../support/memory-log.js';

const SIZE = 66_000;
const signer = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const key = signer.verifier.toString();
const log = new MemoryLog([...Array(SIZE).keys()].map((at) => `{"entry":${at},"name":"🦊"}`));
const proofs = new TreeProofs(log);

describe.skipIf(!hasLogVerifier())('Go’s own reader of transparency logs', () => {
  let folder: string;
  let verifier: LogVerifier;

  beforeAll(async () => {
    folder = await mkdtemp(join(inject('runFolder'), 'independent-'));
    verifier = await buildLogVerifier(folder);
    for (const tile of newTiles(0, SIZE)) {
      const { level, index, width } = tile;
      await write(tilePath(tile), Buffer.concat(await log.hashes(level, index * 256, width)));
      if (level === 0) await write(bundlePath(tile), entryBundle(log.leaves.slice(index * 256, index * 256 + width)));
    }
    await write('checkpoint', await checkpointAt(SIZE));
  });

  async function write(path: string, content: string | Uint8Array): Promise<string> {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  }

  async function checkpointAt(size: number, by = signer): Promise<string> {
    return by.sign(checkpointText({ origin: by.verifier.name, size, root: await proofs.root(size) }));
  }

  /** What it says while one byte of a file isn't what was published. */
  async function withOneByteChanged(path: string, ...words: string[]): Promise<string> {
    const original = await readFile(join(folder, path));
    const forged = Buffer.from(original);
    forged[10] = (forged[10] ?? 0) ^ 1;
    await write(path, forged);
    const said = await verifier(...words);
    await write(path, original);
    return said;
  }

  it('accepts our checkpoints, and none that was tampered with or signed by somebody else', async () => {
    const file = await write('one-checkpoint', await checkpointAt(12));
    expect(await verifier('checkpoint', key, file)).toBe('ok 12 entries');
    expect(await withOneByteChanged('one-checkpoint', 'checkpoint', key, file)).toMatch(/invalid|unverified|malformed/);
    const stranger = new NoteSigner('acme.example/audit', Buffer.alloc(32, 8));
    await write('one-checkpoint', await checkpointAt(12, stranger));
    expect(await verifier('checkpoint', key, file)).toContain('no verifiable signatures');
  });

  it('accepts our cosignatures, and none of another checkpoint or another witness', async () => {
    const witness = new Cosigner('witness.example/w1', Buffer.alloc(32, 9));
    const cosign = async (size: number, text = '') => {
      const root = await proofs.root(size);
      const line = witness.cosign(
        text || checkpointText({ origin: signer.verifier.name, size, root }),
        new Date(7_000),
      );
      return write('a-cosigned', withCosignatures(await checkpointAt(size), [line]));
    };
    const said = async (file: string, by = witness) => verifier('cosigned', key, by.verifier.toString(), file);
    expect(await said(await cosign(12))).toBe('ok 12 entries at 7');
    const stranger = new Cosigner('witness.example/w1', Buffer.alloc(32, 8));
    expect(await said(await cosign(12), stranger)).toContain("hasn't cosigned it");
    expect(await said(await cosign(12, 'acme.example/audit\n13\n'))).toContain('invalid signature');
  });

  it('accepts our tiles and entries, and none that was tampered with', async () => {
    expect(await verifier('log', key, folder)).toBe(`ok ${SIZE} entries`);
    expect(await withOneByteChanged('tile/entries/100', 'log', key, folder)).toContain("entries aren't those");
    for (const path of ['tile/0/100', 'tile/1/000', 'tile/0/257.p/208']) {
      expect(await withOneByteChanged(path, 'log', key, folder)).toBe(`${path} isn't the tree's`);
    }
  });

  it('accepts our proofs of single entries, and none for another entry', async () => {
    for (const [index, size] of [
      [0, 1],
      [255, 257],
      [65_535, SIZE],
      [65_999, SIZE],
    ] as const) {
      const leaf = log.leaves[index] ?? '';
      const hashes = await proofs.inclusion(index, size);
      const file = await write(
        'a.tlog-proof',
        proofText({ leaf, index, hashes, checkpoint: await checkpointAt(size) }),
      );
      const entry = await write('entry.json', leaf);
      expect(await verifier('proof', key, file, entry)).toBe(`ok entry ${index} of ${size}`);
      await write('entry.json', leaf.replace('entry', 'Entry'));
      expect(await verifier('proof', key, file, entry)).toContain('invalid');
    }
  });

  it('accepts our proofs that a log goes on where it ended, and none for a fork', async () => {
    const fork = new TreeProofs(
      new MemoryLog(log.leaves.map((leaf, at) => (at === 3 ? 'forged' : leaf)).slice(0, 400)),
    );
    for (const [before, size] of [
      [1, 2],
      [256, 257],
      [300, 65_537],
      [65_536, SIZE],
    ] as const) {
      const old = await write('old', await checkpointAt(before));
      const now = await write('now', await checkpointAt(size));
      const hashes = (await proofs.consistency(before, size)).map((hash) => hash.toString('base64'));
      const file = await write('hashes', hashes.join('\n'));
      expect(await verifier('consistency', key, old, now, file)).toBe(`ok ${size} entries begin with ${before}`);
    }
    const forked = checkpointText({ origin: signer.verifier.name, size: 300, root: await fork.root(300) });
    const [old, now] = [await write('old', signer.sign(forked)), await write('now', await checkpointAt(400))];
    const file = await write(
      'hashes',
      (await proofs.consistency(300, 400)).map((hash) => hash.toString('base64')).join('\n'),
    );
    expect(await verifier('consistency', key, old, now, file)).toContain('invalid');
  });
});
