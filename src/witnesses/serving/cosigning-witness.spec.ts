import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { MemoryLog } from '../../../test/support/memory-log.js';
import { addCheckpointText } from '../../platform/audit/add-checkpoint.js';
import { checkpointText } from '../../platform/audit/checkpoint.js';
import { Cosigner } from '../../platform/audit/cosignature.js';
import { NoteSigner } from '../../platform/audit/signed-note.js';
import { TreeProofs } from '../../platform/audit/tree-proofs.js';
import { CosigningWitness } from './cosigning-witness.js';
import { WitnessState } from './witness-state.js';

const signer = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const stranger = new NoteSigner('acme.example/audit', Buffer.alloc(32, 8));
const cosigner = new Cosigner('witness.example/w1', Buffer.alloc(32, 9));
const leaves = [...Array(400).keys()].map((at) => `entry ${at}`);
const log = new TreeProofs(new MemoryLog(leaves));
const fork = new TreeProofs(new MemoryLog(leaves.map((leaf, at) => (at === 3 ? 'forged' : leaf))));

const signed = async (size: number, of = log, by = signer): Promise<string> =>
  by.sign(checkpointText({ origin: by.verifier.name, size, root: await of.root(size) }));
const request = async (oldSize: number, size: number, of = log): Promise<string> =>
  addCheckpointText({ oldSize, proof: await of.consistency(oldSize, size), checkpoint: await signed(size, of) });

let file: string;
let witness: CosigningWitness;
beforeEach(async () => {
  file = join(await mkdtemp(join(inject('runFolder'), 'witness-')), 'state.json');
  await WitnessState.create(file, cosigner.verifier);
  witness = await opened();
});

async function opened(): Promise<CosigningWitness> {
  return new CosigningWitness(cosigner, [signer.verifier], await WitnessState.open(file, cosigner.verifier));
}

describe('a witness', () => {
  it('cosigns a log from its beginning on, and each continuation', async () => {
    for (const [oldSize, size] of [
      [0, 1],
      [1, 300],
      [300, 300],
      [300, 400],
    ] as const) {
      const { status, text } = await witness.addCheckpoint(await request(oldSize, size));
      expect(status).toBe(200);
      const seen = cosigner.verifier.read(`${await signed(size)}${text}`);
      expect(Math.abs(Date.now() - (seen?.at.getTime() ?? 0))).toBeLessThan(60_000);
    }
  });

  it('has on its disk what it signed before it answers, with the log’s signature, and serves it', async () => {
    const { text } = await witness.addCheckpoint(await request(0, 300));
    const originHash = createHash('sha256').update('acme.example/audit').digest('hex');
    const cosigned = `${await signed(300)}${text}`;
    const anew = await opened();
    expect(anew.checkpoint(originHash)).toMatchObject({ status: 200, text: cosigned });
    expect(anew.checkpoint('0'.repeat(64))).toMatchObject({ status: 404 });
    expect(await anew.addCheckpoint(await request(0, 400))).toMatchObject({ status: 409, text: '300\n' });
  });

  it('never signs a smaller log or a fork, whatever it is told', async () => {
    await witness.addCheckpoint(await request(0, 300));
    const before = await readFile(file, 'utf8');
    const other = { oldSize: 300, checkpoint: await signed(400, fork) };
    for (const [body, status] of [
      [await request(0, 200), 409],
      [await request(100, 200), 409],
      [addCheckpointText({ oldSize: 300, proof: [], checkpoint: await signed(200) }), 400],
      [addCheckpointText({ ...other, proof: await fork.consistency(300, 400) }), 422],
      [addCheckpointText({ ...other, proof: await log.consistency(300, 400) }), 422],
      [addCheckpointText({ ...other, proof: [] }), 422],
      [addCheckpointText({ oldSize: 300, proof: [], checkpoint: await signed(300, fork) }), 422],
      [addCheckpointText({ oldSize: 0, proof: [], checkpoint: await signed(1, fork) }), 409],
    ] as const) {
      expect([body, (await witness.addCheckpoint(body)).status]).toEqual([body, status]);
    }
    expect(await witness.addCheckpoint(await request(200, 400))).toEqual({
      status: 409,
      type: 'text/x.tlog.size',
      text: '300\n',
    });
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('knows its logs by their keys, and a first checkpoint needs no proof', async () => {
    const foreign = new NoteSigner('other.example/audit', Buffer.alloc(32, 7));
    for (const [body, status] of [
      [addCheckpointText({ oldSize: 0, proof: [], checkpoint: await signed(3, log, foreign) }), 404],
      [addCheckpointText({ oldSize: 0, proof: [], checkpoint: await signed(3, log, stranger) }), 403],
      [addCheckpointText({ oldSize: 0, proof: [], checkpoint: 'acme.example/audit\n3\n' }), 403],
      [addCheckpointText({ oldSize: 0, proof: [], checkpoint: signer.sign('acme.example/audit\nthree\n') }), 400],
      [addCheckpointText({ oldSize: 0, proof: [await log.root(2)], checkpoint: await signed(3) }), 422],
      [
        addCheckpointText({
          oldSize: 0,
          proof: [],
          checkpoint: signer.sign(checkpointText({ origin: 'acme.example/audit', size: 0, root: await log.root(3) })),
        }),
        422,
      ],
      ['nonsense', 400],
    ] as const) {
      expect([body, (await witness.addCheckpoint(body)).status]).toEqual([body, status]);
    }
    expect((await witness.addCheckpoint(await request(0, 0))).status).toBe(200);
  });

  it('decides about one at a time: of two at once that both go on from the same size one is signed', async () => {
    await witness.addCheckpoint(await request(0, 300));
    const bodies = [await request(300, 400), await request(300, 350)];
    const answers = await Promise.all(bodies.map((body) => witness.addCheckpoint(body)));
    expect(answers.map(({ status }) => status)).toEqual([200, 409]);
  });

  it('answers nothing that it can’t remember, and goes on when it can', async () => {
    const text = await readFile(file, 'utf8');
    await rm(file);
    await expect(witness.addCheckpoint(await request(0, 300))).rejects.toThrow('ENOENT');
    await writeFile(file, text.replace('{}', '{ }'));
    await expect(witness.addCheckpoint(await request(0, 300))).rejects.toThrow('Somebody else writes');
    await writeFile(file, text);
    expect((await witness.addCheckpoint(await request(0, 300))).status).toBe(200);
  });
});

describe('what a witness remembers', () => {
  it.each([
    ['is gone', () => rm(file), 'a witness that forgot'],
    ['can’t be read', () => writeFile(file, '{"format":'), 'damaged'],
    ['is another’s', async () => writeFile(file, (await readFile(file, 'utf8')).replace('/w1', '/w2')), 'is that of'],
    [
      'was put there by somebody else',
      async () => {
        const state = JSON.parse(await readFile(file, 'utf8')) as { logs: Record<string, string> };
        state.logs['acme.example/audit'] = await signed(3);
        await writeFile(file, JSON.stringify(state));
      },
      'isn’t what this witness cosigned',
    ],
  ])('and %s is no ground to go on from', async (_what, spoil, why) => {
    await spoil();
    await expect(opened()).rejects.toThrow(why);
  });

  it('is never made over what is there', async () => {
    await expect(WitnessState.create(file, cosigner.verifier)).rejects.toThrow('exists already');
  });
});
