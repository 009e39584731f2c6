import { randomBytes, sign, type KeyObject } from 'node:crypto';
import { NoteError, NotePublicKey, parsePublicKey, privateKeyOf, readNote, signatureLine } from './signed-note.js';

// What a witness signs (c2sp.org/tlog-cosignature, Ed25519): that at a time the log was this tree, and had been nothing but
// a beginning of it before.

/** The kind of these signatures. */
const COSIGNATURE_V1 = 4;
/** Bytes before the signature itself. */
const TIME_LENGTH = 8;
/** Seconds: the end of the year 9999. */
const LAST_TIME = 253_402_300_799n;

export interface Cosignature {
  /** By the witness's clock. */
  at: Date;
  /** As it stands below a checkpoint, without its end. */
  line: string;
}

/** Checks what one witness signed. */
export class CosignatureVerifier extends NotePublicKey {
  constructor(name: string, publicBytes: Buffer) {
    super(name, publicBytes, COSIGNATURE_V1);
  }

  /** @param text the witness's public key, as its operator handed it out. Throws `NoteError`. */
  static parse(text: string): CosignatureVerifier {
    const { name, publicBytes } = parsePublicKey(text, COSIGNATURE_V1, 'a witness');
    return new CosignatureVerifier(name, publicBytes);
  }

  /** What it said of this checkpoint; null where it said nothing. Throws `NoteError` for a signature that isn't right. */
  read(checkpoint: string): Cosignature | null {
    const { text, signatures } = readNote(checkpoint);
    const own = signatures.find((one) => this.isNamedBy(one));
    if (!own) return null;
    const time = own.signature.length === 72 ? own.signature.readBigUInt64BE() : 0n;
    const isRight =
      time > 0n && time <= LAST_TIME && this.verifies(cosigned(time, text), own.signature.subarray(TIME_LENGTH));
    if (!isRight) throw new NoteError(`The cosignature of ${this.name} isn’t right.`);
    return { at: new Date(Number(time) * 1000), line: own.line };
  }
}

/** Signs as a witness. Its key's bytes are private: no log and no error can show them by accident. */
export class Cosigner {
  readonly #key: KeyObject;
  readonly verifier: CosignatureVerifier;

  /** @param seed the 32 bytes of an Ed25519 private key (RFC 8032) */
  constructor(name: string, seed: Buffer) {
    const { key, publicBytes } = privateKeyOf(seed);
    this.#key = key;
    this.verifier = new CosignatureVerifier(name, publicBytes);
  }

  /** @param text what `newCosigningKey` made. Throws `NoteError`. */
  static parse(text: string): Cosigner {
    const [, name = '', hash = '', encoded = ''] =
      /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim()) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes[0] !== COSIGNATURE_V1 || bytes.length !== 33) throw new NoteError('This is no private key of a witness.');
    const cosigner = new Cosigner(name, bytes.subarray(1));
    if (cosigner.verifier.keyHash !== hash) throw new NoteError('The private key is damaged: it doesn’t fit its hash.');
    return cosigner;
  }

  /** @param text a checkpoint's, without signatures. @returns the line, without its end */
  cosign(text: string, at: Date): string {
    const time = BigInt(Math.floor(at.getTime() / 1000));
    const bytes = Buffer.alloc(TIME_LENGTH);
    bytes.writeBigUInt64BE(time);
    return signatureLine(
      this.verifier,
      Buffer.concat([bytes, sign(null, Buffer.from(cosigned(time, text)), this.#key)]),
    );
  }
}

/** A new key in one line: the kind of private key that other tools for signed notes read too. */
export function newCosigningKey(name: string): { privateLine: string; cosigner: Cosigner } {
  const seed = randomBytes(32);
  const cosigner = new Cosigner(name, seed);
  const encoded = Buffer.concat([Buffer.of(COSIGNATURE_V1), seed]).toString('base64');
  return { privateLine: `PRIVATE+KEY+${name}+${cosigner.verifier.keyHash}+${encoded}`, cosigner };
}

/** The checkpoint with further signatures below it. */
export function withCosignatures(checkpoint: string, lines: readonly string[]): string {
  return [checkpoint, ...lines.map((line) => `${line}\n`)].join('');
}

/** What is signed. */
function cosigned(time: bigint, text: string): string {
  return `cosignature/v1\ntime ${time}\n${text}`;
}
