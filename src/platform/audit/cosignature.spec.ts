import { describe, expect, it } from 'vitest';
import { addCheckpointText, parseAddCheckpoint } from './add-checkpoint.js';
import { checkpointText } from './checkpoint.js';
import { Cosigner, CosignatureVerifier, newCosigningKey, withCosignatures } from './cosignature.js';
import { NoteSigner } from './signed-note.js';

const log = new NoteSigner('acme.example/audit', Buffer.alloc(32, 7));
const cosigner = new Cosigner('witness.example/w1', Buffer.alloc(32, 9));
const { verifier } = cosigner;
const text = checkpointText({ origin: 'acme.example/audit', size: 12, root: Buffer.alloc(32, 3) });
const checkpoint = log.sign(text);
const at = new Date('2026-11-23T10:00:00Z');
const cosigned = withCosignatures(checkpoint, [cosigner.cosign(text, at)]);

describe('a cosignature', () => {
  it('tells when the witness saw the checkpoint, and is in nobody’s way', () => {
    expect(verifier.read(cosigned)).toEqual({ at, line: cosigned.trimEnd().split('\n').at(-1) });
    expect(log.verifier.open(cosigned)).toBe(text);
  });

  it('of nobody, of another witness or of another key isn’t there', () => {
    expect(verifier.read(checkpoint)).toBeNull();
    expect(new Cosigner('witness.example/w2', Buffer.alloc(32, 9)).verifier.read(cosigned)).toBeNull();
    expect(new Cosigner('witness.example/w1', Buffer.alloc(32, 8)).verifier.read(cosigned)).toBeNull();
  });

  it.each([
    ['of another tree', (line: string) => withCosignatures(log.sign(text.replace('12', '13')), [line])],
    [
      'with another time',
      (line: string) => {
        const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64');
        bytes.writeBigUInt64BE(bytes.readBigUInt64BE(4) + 1n, 4);
        return withCosignatures(checkpoint, [`— ${verifier.name} ${bytes.toString('base64')}`]);
      },
    ],
    [
      'without a time',
      (line: string) => {
        const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64');
        const bare = Buffer.concat([bytes.subarray(0, 4), bytes.subarray(12)]);
        return withCosignatures(checkpoint, [`— ${verifier.name} ${bare.toString('base64')}`]);
      },
    ],
    ['at no time', () => withCosignatures(checkpoint, [cosigner.cosign(text, new Date(0))])],
  ])('%s is refused', (_what, forge) => {
    expect(() => verifier.read(forge(cosigner.cosign(text, at)))).toThrow('isn’t right');
  });
});

describe('the key of a witness', () => {
  it('is handed out in a line, and its private half kept in one', () => {
    const { privateLine, cosigner: made } = newCosigningKey('witness.example/w3');
    expect(privateLine).toMatch(/^PRIVATE\+KEY\+witness\.example\/w3\+[0-9a-f]{8}\+/);
    const again = Cosigner.parse(`${privateLine}\n`);
    expect(again.verifier.toString()).toBe(made.verifier.toString());
    const parsed = CosignatureVerifier.parse(`${made.verifier.toString()}\n`);
    expect(parsed.read(withCosignatures(checkpoint, [again.cosign(text, at)]))?.at).toEqual(at);
    expect(JSON.stringify(again)).not.toContain(privateLine.slice(-20));
  });

  it('isn’t taken for that of a log, nor the other way round', () => {
    expect(() => CosignatureVerifier.parse(log.verifier.toString())).toThrow('no key of a witness');
    expect(() => Cosigner.parse(verifier.toString())).toThrow('no private key of a witness');
    const { privateLine } = newCosigningKey('witness.example/w3');
    expect(() => Cosigner.parse(privateLine.replace('w3', 'w4'))).toThrow('doesn’t fit');
  });
});

describe('a request to add a checkpoint', () => {
  const proof = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

  it('is read as it is written, with and without a proof', () => {
    for (const request of [
      { oldSize: 0, proof: [], checkpoint },
      { oldSize: 9, proof, checkpoint: cosigned },
    ]) {
      expect(parseAddCheckpoint(addCheckpointText(request))).toEqual(request);
    }
  });

  it.each([
    ['', 'begins with the old size'],
    ['old 007\n\n', 'begins with the old size'],
    ['old 9999999999999999\n\n', 'begins with the old size'],
    ['old -1\n\n', 'begins with the old size'],
    [`old 1\n${Buffer.alloc(31).toString('base64')}\n\n`, 'no hash'],
    [`old 1\n${Buffer.alloc(32).toString('base64')}=\n\n`, 'no hash'],
    [`old 1\n${`${Buffer.alloc(32).toString('base64')}\n`.repeat(64)}\n`, 'more than 63'],
  ])('is refused: %j', (body, why) => {
    expect(() => parseAddCheckpoint(body)).toThrow(why);
  });
});
