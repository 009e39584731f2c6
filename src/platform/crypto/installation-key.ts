import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { WrappingKey } from './wrapping-key.js';

/** The key in the installation's file: its name tag, and what seals until a sealing key was made. */
export class InstallationKey extends WrappingKey {
  readonly #key: KeyObject;

  /** @param bytes 32 of them. */
  constructor(bytes: Buffer) {
    super(bytes);
    this.#key = createSecretKey(bytes);
  }

  /** HMAC-SHA-256 under a key derived for the purpose (HKDF, RFC 5869): a digest that can't be guessed from the database. */
  mac(purpose: string, data: Buffer): Buffer {
    const key = Buffer.from(hkdfSync('sha256', this.#key, '', `mac:${purpose}`, 32));
    return createHmac('sha256', key).update(data).digest();
  }
}
