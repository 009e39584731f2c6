import { KeyProviderError, sealingKeyContext, type KeyProvider } from '../key-provider.js';
import type { WrappingKey } from '../wrapping-key.js';

/** Wraps with a key from a file on this machine. */
export class KeyFileProvider implements KeyProvider {
  readonly kind = 'key-file';
  readonly keyName: string;
  private readonly keys: ReadonlyMap<string, WrappingKey>;

  /** @param keys the first wraps, all unwrap */
  constructor(keys: readonly [WrappingKey, ...WrappingKey[]]) {
    this.keyName = keys[0].fingerprint;
    this.keys = new Map(keys.map((key) => [key.fingerprint, key]));
  }

  async wrap(key: Buffer, fingerprint: string): Promise<Buffer> {
    return this.key(this.keyName).wrap(key, sealingKeyContext(fingerprint));
  }

  async unwrap(wrapped: Buffer, fingerprint: string, keyName: string): Promise<Buffer> {
    const key = this.key(keyName);
    try {
      return key.unwrap(wrapped, sealingKeyContext(fingerprint));
    } catch {
      throw new KeyProviderError('damaged', `The sealing key ${fingerprint} was changed since it was wrapped.`);
    }
  }

  private key(name: string): WrappingKey {
    const key = this.keys.get(name);
    if (key) return key;
    throw new KeyProviderError(
      'refused',
      `This process has no key file with the fingerprint ${name}. Name the file in SECRETS_KEY_FILES, or restore it from its backup.`,
    );
  }
}
