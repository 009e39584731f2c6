import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { openWithKey, sealWithKey } from './aes-gcm.js';

/** The key that wraps the data keys. Its bytes are private: no log and no error can show them by accident. */
export class InstallationKey {
  readonly #bytes: Buffer;
  /** The first 32 hex digits of SHA-256 over the key: tells keys apart and gives nothing away. */
  readonly fingerprint: string;

  /** @param bytes 32 of them. */
  constructor(bytes: Buffer) {
    if (bytes.length !== 32) throw new Error('an installation key has 32 bytes');
    this.#bytes = bytes;
    this.fingerprint = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
  }

  wrap(dataKey: Buffer, additionalData: string): Buffer {
    return sealWithKey(this.#bytes, dataKey, additionalData);
  }

  /** HMAC-SHA-256 under a key derived for the purpose (HKDF, RFC 5869): a digest that can't be guessed from the database. */
  mac(purpose: string, data: Buffer): Buffer {
    const key = Buffer.from(hkdfSync('sha256', this.#bytes, '', `mac:${purpose}`, 32));
    return createHmac('sha256', key).update(data).digest();
  }

  unwrap(wrapped: Buffer, additionalData: string): Buffer {
    return openWithKey(this.#bytes, wrapped, additionalData);
  }
}
