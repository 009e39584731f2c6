import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Decrypter, Encrypter } from 'age-encryption';
import { KeyProviderError, sealingKeyContext, type KeyProvider } from '../key-provider.js';
import type { AgeIdentity } from './age-identities.js';

const TAG_BYTES = 32;

/**
 * Wraps to an age identity. Whoever knows the recipient, which is public, could make an age file; so a tag goes before
 * it, under a key that only the identity's holder can derive. It also binds what age itself can't: the fingerprint.
 */
export class AgeProvider implements KeyProvider {
  readonly kind = 'age';
  readonly keyName: string;

  /** @param identities the first wraps, all unwrap */
  constructor(private readonly identities: readonly [AgeIdentity, ...AgeIdentity[]]) {
    this.keyName = nameOf(identities[0]);
  }

  async wrap(key: Buffer, fingerprint: string): Promise<Buffer> {
    const [identity] = this.identities;
    const encrypter = new Encrypter();
    encrypter.addRecipient(identity.recipient);
    const file = Buffer.from(await encrypter.encrypt(key));
    return Buffer.concat([tagOf(identity, fingerprint, file), file]);
  }

  async unwrap(wrapped: Buffer, fingerprint: string, keyName: string): Promise<Buffer> {
    const identity = this.identities.find((one) => nameOf(one) === keyName);
    if (!identity) {
      throw new KeyProviderError(
        'refused',
        `This process doesn't have the age identity of ${keyName}. Add it to the file SECRETS_AGE_IDENTITY_FILE, or restore that from its backup.`,
      );
    }
    const [tag, file] = [wrapped.subarray(0, TAG_BYTES), wrapped.subarray(TAG_BYTES)];
    const isOurs = tag.length === TAG_BYTES && timingSafeEqual(tag, tagOf(identity, fingerprint, file));
    if (!isOurs) throw damaged(fingerprint);
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity.identity);
    try {
      return Buffer.from(await decrypter.decrypt(file));
    } catch {
      throw damaged(fingerprint);
    }
  }
}

/** A recipient of X25519 is 62 characters; one that is safe against quantum computers fills pages, and its start will do. */
function nameOf({ recipient }: AgeIdentity): string {
  return recipient.slice(0, 62);
}

function tagOf({ identity }: AgeIdentity, fingerprint: string, file: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', identity, '', 'quartermaster: tag of a wrapped sealing key', 32));
  return createHmac('sha256', key)
    .update(`${sealingKeyContext(fingerprint)}\n`)
    .update(file)
    .digest();
}

function damaged(fingerprint: string): KeyProviderError {
  return new KeyProviderError('damaged', `The sealing key ${fingerprint} was changed since it was wrapped.`);
}
