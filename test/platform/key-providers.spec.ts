import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { KeyProviderError, type KeyProvider } from '../../src/platform/crypto/key-provider.js';
import { loadAgeIdentities, makeAgeIdentity } from '../../src/platform/crypto/providers/age-identities.js';
import { AgeProvider } from '../../src/platform/crypto/providers/age-provider.js';
import { KeyFileProvider } from '../../src/platform/crypto/providers/key-file-provider.js';
import { KmsProvider } from '../../src/platform/crypto/providers/kms-provider.js';
import { TransitProvider, type TransitSettings } from '../../src/platform/crypto/providers/transit-provider.js';
import { loadKeySettings } from '../../src/platform/config/key-settings.js';
import { WrappingKey } from '../../src/platform/crypto/wrapping-key.js';
import { selfSignedFor } from '../../connectors/kit/self-signed-certificate.js';
import { KmsEmulator } from '../emulators/aws-kms/kms-emulator.js';
import { TransitEmulator } from '../emulators/transit/transit-emulator.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(inject('runFolder'), 'providers-'));
});

async function newAgeProvider(): Promise<AgeProvider> {
  const path = join(folder, `identity-${randomBytes(4).toString('hex')}`);
  await makeAgeIdentity(path);
  return new AgeProvider(await loadAgeIdentities(path));
}

const servers: TransitEmulator[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const MAY_USE = ['transit/encrypt/quartermaster', 'transit/decrypt/quartermaster'];

async function newTransit(options: Parameters<typeof TransitEmulator.start>[0] = {}): Promise<TransitEmulator> {
  const server = await TransitEmulator.start(options);
  servers.push(server);
  server.makeKey('quartermaster');
  return server;
}

async function privateFile(content: string): Promise<string> {
  const path = join(folder, randomBytes(6).toString('hex'));
  await writeFile(path, content, { mode: 0o600 });
  return path;
}

async function transitAt(server: TransitEmulator, with_: Partial<TransitSettings> = {}): Promise<TransitProvider> {
  return new TransitProvider({
    address: server.address,
    keys: ['quartermaster'],
    mount: 'transit',
    namespace: undefined,
    ca: undefined,
    auth: { tokenFile: await privateFile(`${server.makeToken(...MAY_USE)}\n`) },
    ...with_,
  });
}

let kms: KmsEmulator;
let user: ReturnType<KmsEmulator['makeUser']>;
beforeAll(async () => {
  kms = await KmsEmulator.start();
  user = kms.makeUser({ sessionToken: 'of-a-role' });
  signInAs(user);
});
afterAll(() => kms?.stop());

/** Where AWS's client looks first. */
function signInAs({ accessKeyId, secretAccessKey, sessionToken }: typeof user): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', sessionToken);
}

function newKmsKey(): ReturnType<KmsEmulator['makeKey']> {
  const key = kms.makeKey();
  for (const operation of ['Encrypt', 'Decrypt'] as const) kms.allow(user.accessKeyId, operation, key.arn);
  return key;
}

async function newKmsProvider(): Promise<KmsProvider> {
  return new KmsProvider({ keys: [newKmsKey().arn], endpoint: kms.endpoint });
}

let made = 0;

/** Each under a key of its own name, at one server. */
async function newTransitProvider(): Promise<TransitProvider> {
  const server = servers[0] ?? (await newTransit());
  const name = `key-${(made += 1)}`;
  server.makeKey(name);
  const mayCall = [`transit/encrypt/${name}`, `transit/decrypt/${name}`];
  return transitAt(server, { keys: [name], auth: { tokenFile: await privateFile(server.makeToken(...mayCall)) } });
}

const PROVIDERS: Record<KeyProvider['kind'], () => Promise<KeyProvider>> = {
  'key-file': async () => new KeyFileProvider([new WrappingKey(randomBytes(32))]),
  age: newAgeProvider,
  transit: newTransitProvider,
  'aws-kms': newKmsProvider,
};

const failure = async (work: Promise<unknown>) => {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof KeyProviderError)) throw new Error(`not refused: ${inspect(error)}`);
  return { kind: error.kind, message: error.message };
};
const kindOf = (error: unknown) => (error instanceof KeyProviderError ? error.kind : error);

describe.each(Object.entries(PROVIDERS).map(([kind, make]) => ({ kind, make })))('the provider $kind', ({ make }) => {
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
});

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

describe('the provider transit', () => {
  const key = randomBytes(32);
  const { fingerprint } = new WrappingKey(key);

  it('goes on across rotations at the engine, and refuses a version that its owner has ended', async () => {
    const server = await newTransit();
    const provider = await transitAt(server);
    const first = await provider.wrap(key, fingerprint);
    server.rotateKey('quartermaster');
    const second = await provider.wrap(key, fingerprint);
    expect([first, second].map((one) => one.toString().slice(0, 9))).toEqual(['vault:v1:', 'vault:v2:']);
    expect(await provider.unwrap(first, fingerprint, provider.keyName)).toEqual(key);
    const atServer = server.keys.get('quartermaster');
    if (atServer) atServer.minDecryptionVersion = 2;
    expect(await failure(provider.unwrap(first, fingerprint, provider.keyName))).toMatchObject({ kind: 'refused' });
    expect(await provider.unwrap(second, fingerprint, provider.keyName)).toEqual(key);
  });

  it('signs in with a role, and again when its token has ended, but not for ever', async () => {
    const server = await newTransit();
    const { roleId, secretId } = server.makeRole(...MAY_USE);
    const auth = { roleId, secretIdFile: await privateFile(secretId) };
    const provider = await transitAt(server, { auth });
    const wrapped = await provider.wrap(key, fingerprint);
    await provider.unwrap(wrapped, fingerprint, provider.keyName);
    const logins = () => server.calls.filter(({ path }) => path === 'auth/approle/login').length;
    expect(logins()).toBe(1);
    server.endAllTokens();
    expect(await provider.unwrap(wrapped, fingerprint, provider.keyName)).toEqual(key);
    expect(logins()).toBe(2);
    const other = await transitAt(server, { auth: { ...auth, secretIdFile: await privateFile('wrong') } });
    expect(await failure(other.wrap(key, fingerprint))).toMatchObject({ kind: 'refused' });
    const forbidden = server.makeRole('transit/encrypt/quartermaster');
    const half = await transitAt(server, {
      auth: { roleId: forbidden.roleId, secretIdFile: await privateFile(forbidden.secretId) },
    });
    expect(await failure(half.unwrap(await half.wrap(key, fingerprint), fingerprint, half.keyName))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('policy'),
    });
  });

  it('reads the token anew for each call, since an agent may have renewed it', async () => {
    const server = await newTransit();
    const tokenFile = await privateFile(server.makeToken(...MAY_USE));
    const provider = await transitAt(server, { auth: { tokenFile } });
    await provider.wrap(key, fingerprint);
    server.endAllTokens();
    expect(await failure(provider.wrap(key, fingerprint))).toMatchObject({ kind: 'refused' });
    await writeFile(tokenFile, server.makeToken(...MAY_USE));
    await provider.wrap(key, fingerprint);
  });

  it('tells a server that is away or sealed from one that says no', async () => {
    const server = await newTransit();
    const provider = await transitAt(server);
    server.isSealed = true;
    expect(await failure(provider.wrap(key, fingerprint))).toMatchObject({
      kind: 'away',
      message: expect.stringContaining('sealed'),
    });
    server.isSealed = false;
    const nobody = await transitAt(server, { address: 'http://127.0.0.1:1' });
    expect(await failure(nobody.wrap(key, fingerprint))).toMatchObject({ kind: 'away' });
    const misnamed = await transitAt(server, {
      keys: ['other'],
      auth: { tokenFile: await privateFile(server.makeToken('transit/encrypt/other')) },
    });
    expect(await failure(misnamed.wrap(key, fingerprint))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('there is no such key'),
    });
  });

  it('speaks TLS with the company’s own authority, in a namespace, and to nobody whom that does not vouch for', async () => {
    const tls = selfSignedFor('localhost');
    const server = await newTransit({ tls, namespace: 'team/it' });
    const provider = await transitAt(server, { ca: tls.cert.toString(), namespace: 'team/it' });
    expect(await provider.unwrap(await provider.wrap(key, fingerprint), fingerprint, provider.keyName)).toEqual(key);
    const strangers = await transitAt(server, { namespace: 'team/it' });
    const heard = server.calls.length;
    expect(await failure(strangers.wrap(key, fingerprint))).toMatchObject({
      kind: 'away',
      message: expect.stringContaining('could not be proved over TLS'),
    });
    expect(server.calls).toHaveLength(heard);
    const elsewhere = await transitAt(server, { ca: tls.cert.toString() });
    expect(await failure(elsewhere.wrap(key, fingerprint))).toMatchObject({ kind: 'refused' });
  });

  it('is set up by the environment, which is told what is wrong with it', () => {
    const env = { SECRETS_TRANSIT_ADDRESS: 'https://vault.example.com:8200/', SECRETS_TRANSIT_TOKEN_FILE: '/t' };
    expect(loadKeySettings(env).transit).toMatchObject({
      address: 'https://vault.example.com:8200',
      keys: ['quartermaster'],
      mount: 'transit',
      auth: { tokenFile: '/t' },
    });
    expect(loadKeySettings({}).transit).toBeUndefined();
    for (const [wrong, why] of [
      [{ SECRETS_TRANSIT_ADDRESS: 'http://vault.example.com' }, 'may be sent to'],
      [{ SECRETS_TRANSIT_TOKEN_FILE: '' }, 'one way to sign in'],
      [{ SECRETS_TRANSIT_ROLE_ID: 'r' }, 'one way to sign in'],
      [{ SECRETS_TRANSIT_MOUNT: '/transit/' }, 'path of a mount'],
    ] as const) {
      expect(() => loadKeySettings({ ...env, ...wrong })).toThrow(why);
    }
  });
});

describe('the provider aws-kms', () => {
  const key = randomBytes(32);
  const { fingerprint } = new WrappingKey(key);

  it('binds the fingerprint as encryption context, and goes on across rotations at KMS', async () => {
    const atKms = newKmsKey();
    const provider = new KmsProvider({ keys: [atKms.arn], endpoint: kms.endpoint });
    const wrapped = await provider.wrap(key, fingerprint);
    expect(kms.calls.at(-1)).toEqual({
      operation: 'Encrypt',
      context: { service: 'quartermaster', table: 'sealing_keys', fingerprint },
    });
    atKms.material.push(randomBytes(32));
    expect(await provider.unwrap(wrapped, fingerprint, atKms.arn)).toEqual(key);
  });

  it('moves from one key to another, where the first of the list wraps and all unwrap', async () => {
    const [old, next] = [newKmsKey().arn, newKmsKey().arn];
    const wrapped = await new KmsProvider({ keys: [old], endpoint: kms.endpoint }).wrap(key, fingerprint);
    const provider = new KmsProvider({ keys: [next, old], endpoint: kms.endpoint });
    expect(provider.keyName).toBe(next);
    expect(await provider.unwrap(wrapped, fingerprint, old)).toEqual(key);
    const asNext = await provider.unwrap(wrapped, fingerprint, next).catch((thrown: unknown) => thrown);
    expect(asNext).toMatchObject({ kind: 'damaged', cause: { name: 'IncorrectKeyException' } });
  });

  it.each(['Disabled', 'PendingDeletion'] as const)('is refused by a key that is %s', async (state) => {
    const atKms = newKmsKey();
    const provider = new KmsProvider({ keys: [atKms.arn], endpoint: kms.endpoint });
    const wrapped = await provider.wrap(key, fingerprint);
    atKms.state = state;
    expect(await failure(provider.unwrap(wrapped, fingerprint, atKms.arn))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(atKms.arn),
    });
  });

  it('is refused without the right, and with a signature that is not right', async () => {
    const { arn } = newKmsKey();
    const provider = new KmsProvider({ keys: [arn], endpoint: kms.endpoint });
    const wrapped = await provider.wrap(key, fingerprint);
    kms.forbid(user.accessKeyId, 'Decrypt', arn);
    expect(await failure(provider.unwrap(wrapped, fingerprint, arn))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('kms:Decrypt'),
    });
    kms.allow(user.accessKeyId, 'Decrypt', arn);
    try {
      signInAs({ ...user, secretAccessKey: 'another' });
      const forger = new KmsProvider({ keys: [arn], endpoint: kms.endpoint });
      expect(await failure(forger.unwrap(wrapped, fingerprint, arn))).toMatchObject({ kind: 'refused' });
      expect(kms.calls.at(-1)).toEqual({ operation: 'Decrypt', error: 'InvalidSignatureException' });
    } finally {
      signInAs(user);
    }
  });

  it('tries once more when KMS stumbles, and then says that it is away', async () => {
    const provider = await newKmsProvider();
    kms.failNext('KMSInternalException', 500);
    const wrapped = await provider.wrap(key, fingerprint);
    for (const _ of [1, 2]) kms.failNext('KeyUnavailableException', 500);
    expect(await failure(provider.unwrap(wrapped, fingerprint, provider.keyName))).toMatchObject({ kind: 'away' });
    const nobody = new KmsProvider({ keys: [provider.keyName], endpoint: 'http://127.0.0.1:1' });
    expect(await failure(nobody.wrap(key, fingerprint))).toMatchObject({ kind: 'away' });
  });

  it('is set up with ARNs, which say the region and can not be pointed elsewhere as an alias can', () => {
    const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    expect(loadKeySettings({ SECRETS_KMS_KEYS: `${arn}, ${arn}` }).kms).toEqual({
      keys: [arn, arn],
      endpoint: undefined,
    });
    for (const wrong of ['alias/quartermaster', '1234abcd-12ab-34cd-56ef-1234567890ab']) {
      expect(() => loadKeySettings({ SECRETS_KMS_KEYS: wrong })).toThrow(/SECRETS_KMS_KEYS is a list of ARNs/);
    }
  });
});
