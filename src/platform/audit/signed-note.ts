import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

// The signed notes of C2SP (c2sp.org/signed-note): a text, an empty line, and a line for each signature. Anybody's
// implementation reads them.

/** The kind of a signature: the first byte of its key, and a part of its key's hash. */
const ED25519 = 1;
/** What stands before the 32 bytes of a key in DER (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A note or a key that can't be read, or a signature that isn't right. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** A line below a note's text. Whether it is right is not said by that. */
export interface NoteSignature {
  name: string;
  /** The first 4 bytes of the hash of the key that is said to have made it. */
  keyHash: Buffer;
  signature: Buffer;
  /** As it stands in the note, without its end. */
  line: string;
}

/** A note taken apart, with nothing checked. Throws `NoteError`. */
export function readNote(note: string): { text: string; signatures: NoteSignature[] } {
  const end = note.lastIndexOf('\n\n');
  const lines = note
    .slice(end + 2)
    .split('\n')
    .slice(0, -1);
  if (end < 0 || lines.length === 0 || !note.endsWith('\n')) throw new NoteError('This is no signed note.');
  return { text: note.slice(0, end + 1), signatures: lines.map((line) => readSignature(line)) };
}

function readSignature(line: string): NoteSignature {
  const [, name, encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
  if (name === undefined) throw new NoteError('This is no signed note: a line of its signatures can’t be read.');
  const bytes = Buffer.from(encoded, 'base64');
  return { name, keyHash: bytes.subarray(0, 4), signature: bytes.subarray(4), line };
}

/** A name and an Ed25519 public key for signatures of one kind, as `<name>+<hash>+<key>` to be handed to others. */
export class NotePublicKey {
  private readonly publicKey: KeyObject;
  private readonly hash: Buffer;

  /**
   * @param publicBytes the 32 bytes of the key (RFC 8032)
   * @param kind of its signatures, one byte
   */
  constructor(
    readonly name: string,
    readonly publicBytes: Buffer,
    private readonly kind: number,
  ) {
    if (!/^[^\s+]+$/u.test(name)) throw new NoteError(`“${name}” can’t be a key’s name: no spaces and no plus.`);
    if (publicBytes.length !== 32) throw new NoteError('An Ed25519 public key has 32 bytes.');
    this.publicKey = createPublicKey({ key: Buffer.concat([SPKI, publicBytes]), format: 'der', type: 'spki' });
    this.hash = hashOfKey(name, publicBytes, kind);
  }

  toString(): string {
    const encoded = Buffer.concat([Buffer.of(this.kind), this.publicBytes]).toString('base64');
    return `${this.name}+${this.keyHash}+${encoded}`;
  }

  /** The first 4 bytes of the key's hash, in hex: by them a signature names its key. */
  get keyHash(): string {
    return this.hash.toString('hex');
  }

  /** Whether a signature says to be this key's. */
  isNamedBy({ name, keyHash }: NoteSignature): boolean {
    return name === this.name && keyHash.equals(this.hash);
  }

  verifies(signed: string, signature: Buffer): boolean {
    return verify(null, Buffer.from(signed), this.publicKey, signature);
  }
}

/**
 * Reads `<name>+<hash>+<key>`, as somebody wrote it down.
 * @param kind the kind of signatures that its key has to be for
 * @param whose as in "a log", for the message
 * @throws NoteError
 */
export function parsePublicKey(text: string, kind: number, whose: string): { name: string; publicBytes: Buffer } {
  const [, name = '', hash = '', encoded = ''] =
    /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim()) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes[0] !== kind || bytes.length !== 33) {
    throw new NoteError(`This is no key of ${whose}: it looks like <name>+<8 hex digits>+<base64>.`);
  }
  const publicBytes = bytes.subarray(1);
  if (hashOfKey(name, publicBytes, kind).toString('hex') !== hash) {
    throw new NoteError('The key is damaged: it doesn’t fit its own hash.');
  }
  return { name, publicBytes };
}

/** @param seed the 32 bytes of an Ed25519 private key (RFC 8032) */
export function privateKeyOf(seed: Buffer): { key: KeyObject; publicBytes: Buffer } {
  if (seed.length !== 32) throw new NoteError('An Ed25519 private key has 32 bytes.');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return { key, publicBytes: spki.subarray(SPKI.length) };
}

/** @param signature what stands in the line after the key's hash */
export function signatureLine({ name, keyHash }: NotePublicKey, signature: Buffer): string {
  return `— ${name} ${Buffer.concat([Buffer.from(keyHash, 'hex'), signature]).toString('base64')}`;
}

/** Checks notes that a log signed. */
export class NoteVerifier extends NotePublicKey {
  constructor(name: string, publicBytes: Buffer) {
    super(name, publicBytes, ED25519);
  }

  /** @param text as an auditor wrote it down. Throws `NoteError`. */
  static parse(text: string): NoteVerifier {
    const { name, publicBytes } = parsePublicKey(text, ED25519, 'a log');
    return new NoteVerifier(name, publicBytes);
  }

  /** The note's text, when this key signed it. Signatures of other keys are left alone, as the format says. Throws `NoteError`. */
  open(note: string): string {
    const { text, signatures } = readNote(note);
    const own = signatures.find((one) => this.isNamedBy(one));
    if (!own) throw new NoteError(`The note isn’t signed by ${this.name} (key ${this.keyHash}).`);
    if (!this.verifies(text, own.signature)) throw new NoteError(`The signature of ${this.name} isn’t right.`);
    return text;
  }
}

/** Signs notes. Its key's bytes are private: no log and no error can show them by accident. */
export class NoteSigner {
  readonly #key: KeyObject;
  readonly verifier: NoteVerifier;

  /** @param seed the 32 bytes of an Ed25519 private key (RFC 8032) */
  constructor(name: string, seed: Buffer) {
    const { key, publicBytes } = privateKeyOf(seed);
    this.#key = key;
    this.verifier = new NoteVerifier(name, publicBytes);
  }

  /** @param text ends with a line's end */
  sign(text: string): string {
    if (!text.endsWith('\n')) throw new NoteError('A note’s text ends with a line’s end.');
    return `${text}\n${signatureLine(this.verifier, sign(null, Buffer.from(text), this.#key))}\n`;
  }
}

function hashOfKey(name: string, key: Buffer, kind: number): Buffer {
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(kind)).update(key).digest().subarray(0, 4);
}
