import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { KeyProviderError, type KeyProvider } from '../../src/platform/crypto/key-provider.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { AgeProvider } from '../../src/platform/crypto/providers/age-provider.js';
import { KeyFileProvider } from '../../src/platform/crypto/providers/key-file-provider.js';
import { WrappingKey } from '../../src/platform/crypto/wrapping-key.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'providers-'));
});

async function newAgeProvider(): Promise<AgeProvider> {
  const path = join(folder, `identity-${randomBytes(4).toString('hex')}`);
  await makeAgeIdentity(path);
  return new AgeProvider(await loadAgeIdentities(path));
}

const PROVIDERS: Record<KeyProvider['kind'], (() => Promise<KeyProvider>) | undefined> = {
  'key-file': async () => new KeyFileProvider([new WrappingKey(randomBytes(32))]),
  age: newAgeProvider,
  transit: undefined,
  'aws-kms': undefined,
};

const kindOf = (error: unknown) => (error instanceof KeyProviderError ? error.kind : error);

describe.each(Object.entries(PROVIDERS).flatMap(([kind, make]) => (make ? [{ kind, make }] : [])))(
  'the provider $kind',
  ({ make }) => {
    const key = randomBytes(32);
    const { fingerprint } = new WrappingKey(key);

    it('gives the key back that it wrapped, and shows nothing of it meanwhile', async () => {
      const provider = await make();
      const wrapped = await provider.wrap(key, fingerprint);
      expect(wrapped.includes(key)).toBe(false);
      expect(await provider.unwrap(wrapped, fingerprint, provider.keyName)).toEqual(key);
    });

    it('refuses what was wrapped for another fingerprint, changed, or cut', async () => {
      const provider = await make();
      const wrapped = await provider.wrap(key, fingerprint);
      const other = new WrappingKey(randomBytes(32)).fingerprint;
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(changed.length - 5) ^ 1, changed.length - 5);
      for (const [what, about] of [
        [wrapped, other],
        [changed, fingerprint],
        [wrapped.subarray(0, 20), fingerprint],
      ] as const) {
        const error = await provider.unwrap(what, about, provider.keyName).catch((thrown: unknown) => thrown);
        expect(kindOf(error)).toBe('damaged');
      }
    });

    it('refuses what another of its kind wrapped, and a key that it was not set up with', async () => {
      const [one, other] = [await make(), await make()];
      const wrapped = await one.wrap(key, fingerprint);
      const foreign = await other.unwrap(wrapped, fingerprint, one.keyName).catch((thrown: unknown) => thrown);
      expect(kindOf(foreign)).toBe('refused');
      const renamed = await other.unwrap(wrapped, fingerprint, other.keyName).catch((thrown: unknown) => thrown);
      expect(kindOf(renamed)).toBe('damaged');
    });
  },
);

describe('the provider age', () => {
  it('refuses a key that somebody wrapped who knows the recipient and not the identity', async () => {
    const { Encrypter } = await import('age-encryption');
    const path = join(folder, 'of-the-service');
    const recipient = await makeAgeIdentity(path);
    const provider = new AgeProvider(await loadAgeIdentities(path));
    const key = randomBytes(32);
    const { fingerprint } = new WrappingKey(key);
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const planted = Buffer.concat([randomBytes(32), Buffer.from(await encrypter.encrypt(key))]);
    const error = await provider.unwrap(planted, fingerprint, provider.keyName).catch((thrown: unknown) => thrown);
    expect(kindOf(error)).toBe('damaged');
  });

  it('unwraps with every identity of its file and wraps with the first, so that one can follow another', async () => {
    const old = await newAgeProvider();
    const [path, both] = [join(folder, 'new'), join(folder, 'both')];
    await makeAgeIdentity(path);
    const [first] = await loadAgeIdentities(path);
    const olds = inspect(old, { depth: 5 }).match(/AGE-SECRET-KEY-1[0-9A-Z]+/)?.[0];
    await writeFile(both, `# the new one\n${first.identity}\n\n${olds}\n`, { mode: 0o600 });
    const provider = new AgeProvider(await loadAgeIdentities(both));
    const key = randomBytes(32);
    const { fingerprint } = new WrappingKey(key);
    expect(provider.keyName).toBe(first.recipient);
    const wrapped = await old.wrap(key, fingerprint);
    expect(await provider.unwrap(wrapped, fingerprint, old.keyName)).toEqual(key);
  });

  it('reads no file that others may read, or that holds something else, and quotes none', async () => {
    const path = join(folder, 'wrong');
    await writeFile(path, 'AGE-SECRET-KEY-1CANARY\n', { mode: 0o644 });
    await expect(loadAgeIdentities(path)).rejects.toThrow(/chmod 600/);
    const wrong = join(folder, 'wrong-too');
    await writeFile(wrong, 'AGE-SECRET-KEY-1CANARY\n', { mode: 0o600 });
    const error = await loadAgeIdentities(wrong).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("isn't a file of age identities");
    expect(inspect(error, { depth: 9 })).not.toContain('CANARY');
    await expect(loadAgeIdentities(join(folder, 'none'))).rejects.toThrow(/secrets make-identity/);
  });
});
