export const PROVIDERS = ['key-file', 'age', 'aws-kms', 'transit'] as const;
export type ProviderKind = (typeof PROVIDERS)[number];

/**
 * Who wraps sealing keys, so that the database holds none in the clear. What it wrapped opens there again only together with
 * the fingerprint it was wrapped for, and nobody else can make such a thing: a key that somebody plants in the database
 * is refused.
 */
export interface KeyProvider {
  readonly kind: ProviderKind;
  /** Which of its keys wraps from now on: a fingerprint, a recipient, an ARN, a name. No secret. */
  readonly keyName: string;
  /** @throws KeyProviderError */
  wrap(key: Buffer, fingerprint: string): Promise<Buffer>;
  /**
   * @param keyName what `keyName` was when it was wrapped; one that the configuration doesn't name is refused
   * @throws KeyProviderError
   */
  unwrap(wrapped: Buffer, fingerprint: string, keyName: string): Promise<Buffer>;
}

/**
 * - `away`: it doesn't answer, or asks for patience: trying again helps, and a key in memory goes on being used for a while
 * - `refused`: it answered that we may not, or that there is no such key: a person has to act
 * - `damaged`: what stands in the database isn't what was wrapped
 */
export type KeyProviderErrorKind = 'away' | 'refused' | 'damaged';

/** A provider didn't do it; the message says why and what to do, and holds no key. */
export class KeyProviderError extends Error {
  override readonly name = 'KeyProviderError';

  constructor(
    readonly kind: KeyProviderErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What is bound to a wrapped sealing key as additional data: table, row, column. */
export function sealingKeyContext(fingerprint: string): string {
  return JSON.stringify(['sealing_keys', fingerprint, 'wrapped']);
}
