import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

// The signed notes of C2SP (c2sp.org/signed-note): a text, an empty line, and a line for each signature. Anybody's
// implementation reads them.

const ED25519 = 1;
/** What stands before the 32 bytes of a key in DER (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

/** A note or a key that can't be read, or a signature that isn't right. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

/** Checks notes: a name and an Ed25519 public key, as `<name>+<hash>+<key>` to be handed to others. */
export class NoteVerifier {
  private readonly publicKey: KeyObject;
  private readonly hash: Buffer;

  /** @param publicBytes the 32 bytes of the key (RFC 8032) */
  constructor(
    readonly name: string,
    readonly publicBytes: Buffer,
  ) {
    if (!/^[^\s+]+$/u.test(name)) throw new NoteError(`“${name}” can’t be a key’s name: no spaces and no plus.`);
    if (publicBytes.length !== 32) throw new NoteError('An Ed25519 public key has 32 bytes.');
    this.publicKey = createPublicKey({ key: Buffer.concat([SPKI, publicBytes]), format: 'der', type: 'spki' });
    this.hash = hashOfKey(name, publicBytes);
  }

  /** @param text `<name>+<hash>+<key>`, as an auditor wrote it down. Throws `NoteError`. */
  static parse(text: string): NoteVerifier {
    const [, name = '', hash = '', encoded = ''] =
      /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim()) ?? [];
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes[0] !== ED25519 || bytes.length !== 33) {
      throw new NoteError('This is no key of a log: it looks like <name>+<8 hex digits>+<base64>.');
    }
    const verifier = new NoteVerifier(name, bytes.subarray(1));
    if (verifier.hash.toString('hex') !== hash) throw new NoteError('The key is damaged: it doesn’t fit its own hash.');
    return verifier;
  }

  toString(): string {
    const encoded = Buffer.concat([Buffer.of(ED25519), this.publicBytes]).toString('base64');
    return `${this.name}+${this.hash.toString('hex')}+${encoded}`;
  }

  /** The note's text, when this key signed it. Signatures of other keys are left alone, as the format says. Throws `NoteError`. */
  open(note: string): string {
    const end = note.lastIndexOf('\n\n');
    const text = note.slice(0, end + 1);
    const signatures = note
      .slice(end + 2)
      .split('\n')
      .slice(0, -1);
    if (end < 0 || signatures.length === 0 || !note.endsWith('\n')) throw new NoteError('This is no signed note.');
    for (const line of signatures) {
      const [, name, encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
      if (name === undefined) throw new NoteError('This is no signed note: a line of its signatures can’t be read.');
      const signature = Buffer.from(encoded, 'base64');
      if (name !== this.name || !signature.subarray(0, 4).equals(this.hash)) continue;
      if (verify(null, Buffer.from(text), this.publicKey, signature.subarray(4))) return text;
      throw new NoteError(`The signature of ${this.name} isn’t right.`);
    }
    throw new NoteError(`The note isn’t signed by ${this.name} (key ${this.hash.toString('hex')}).`);
  }
}

/** Signs notes. Its key's bytes are private: no log and no error can show them by accident. */
export class NoteSigner {
  readonly #key: KeyObject;
  readonly verifier: NoteVerifier;

  /** @param seed the 32 bytes of an Ed25519 private key (RFC 8032) */
  constructor(name: string, seed: Buffer) {
    this.#key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.verifier = new NoteVerifier(name, spki.subarray(SPKI.length));
  }

  /** @param text ends with a line's end */
  sign(text: string): string {
    if (!text.endsWith('\n')) throw new NoteError('A note’s text ends with a line’s end.');
    const { name } = this.verifier;
    const hash = Buffer.from(this.verifier.toString().split('+')[1] ?? '', 'hex');
    const signature = Buffer.concat([hash, sign(null, Buffer.from(text), this.#key)]);
    return `${text}\n— ${name} ${signature.toString('base64')}\n`;
  }
}

function hashOfKey(name: string, key: Buffer): Buffer {
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(key).digest().subarray(0, 4);
}
