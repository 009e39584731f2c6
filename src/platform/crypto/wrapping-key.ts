import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import { openWithKey, sealWithKey } from './aes-gcm.js';

/**
 * A key that wraps data keys. Its bytes stand outside the JavaScript heap: no log, no error and no dump of the heap shows
 * them.
 */
export class WrappingKey {
  readonly #key: KeyObject;
  readonly fingerprint: string;

  /** @param bytes 32 of them, which are copied. */
  constructor(bytes: Buffer) {
    if (bytes.length !== 32) throw new Error('a key that wraps others has 32 bytes');
    this.#key = createSecretKey(bytes);
    this.fingerprint = fingerprintOf(bytes);
  }

  wrap(dataKey: Buffer, additionalData: string): Buffer {
    return sealWithKey(this.#key, dataKey, additionalData);
  }

  unwrap(wrapped: Buffer, additionalData: string): Buffer {
    return openWithKey(this.#key, wrapped, additionalData);
  }
}

/** The first 32 hex digits of SHA-256: tells keys apart and gives nothing away. */
export function fingerprintOf(key: Buffer | string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
