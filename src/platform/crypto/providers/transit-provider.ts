import { z } from 'zod';
import { callWithin } from '../../../../connectors/kit/deadline.js';
import { ToolError } from '../../../../connectors/kit/errors.js';
import { HttpClient } from '../../../../connectors/kit/http-client.js';
import { KeyProviderError, sealingKeyContext, type KeyProvider, type KeyProviderErrorKind } from '../key-provider.js';
import { KeyFileError, readPrivateFile } from '../private-file.js';

export interface TransitSettings {
  /** As in https://vault.example.com:8200. */
  address: string;
  /** Names of keys of an AEAD type (`aes256-gcm96`, `chacha20-poly1305`); the first wraps, all unwrap. */
  keys: readonly [string, ...string[]];
  /** Where the engine is mounted. */
  mount: string;
  namespace: string | undefined;
  /** PEM certificates that are trusted instead of the system's. */
  ca: string | undefined;
  /** A token in a file, which an agent may renew; or a role that signs in with an id in a file. */
  auth: { tokenFile: string } | { roleId: string; secretIdFile: string };
}

/** Milliseconds for one question; a transaction may wait for it. */
const PATIENCE = 5_000;

const Encrypted = z.object({ data: z.object({ ciphertext: z.string().startsWith('vault:') }) });
const Decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const SignedIn = z.object({ auth: z.object({ client_token: z.string().min(1) }) });
const Refused = z.object({ errors: z.array(z.string()) });

/**
 * The Transit engine of OpenBao or HashiCorp Vault (openbao.org/api-docs/secret/transit). Its own key versions rotate there,
 * unseen by us: each wrapped key says which one it needs.
 */
export class TransitProvider implements KeyProvider {
  readonly kind = 'transit';
  readonly keyName: string;
  /** Of an AppRole: kept until it isn't accepted any more. */
  #token: string | undefined;

  constructor(private readonly settings: TransitSettings) {
    this.keyName = nameOf(settings, settings.keys[0]);
  }

  async wrap(key: Buffer, fingerprint: string): Promise<Buffer> {
    const answer = await this.ask('encrypt', this.settings.keys[0], {
      plaintext: key.toString('base64'),
      associated_data: associatedData(fingerprint),
    });
    return Buffer.from(parsed(Encrypted, answer).data.ciphertext, 'utf8');
  }

  async unwrap(wrapped: Buffer, fingerprint: string, keyName: string): Promise<Buffer> {
    const key = this.settings.keys.find((one) => nameOf(this.settings, one) === keyName);
    if (!key) {
      throw new KeyProviderError(
        'refused',
        `This process may not use the Transit key ${keyName}: name it in SECRETS_TRANSIT_KEYS.`,
      );
    }
    const answer = await this.ask('decrypt', key, {
      ciphertext: wrapped.toString('utf8'),
      associated_data: associatedData(fingerprint),
    });
    return Buffer.from(parsed(Decrypted, answer).data.plaintext, 'base64');
  }

  private async ask(verb: 'encrypt' | 'decrypt', key: string, body: Record<string, string>): Promise<unknown> {
    const path = `/v1/${this.settings.mount}/${verb}/${encodeURIComponent(key)}`;
    const known = this.#token;
    try {
      return await this.post(path, body, await this.token());
    } catch (error) {
      // The token of a role ends by itself; a new one is asked for, once.
      const mayBeOver = error instanceof NotAllowed && known !== undefined;
      if (!mayBeOver) throw error;
      this.#token = undefined;
      return this.post(path, body, await this.token());
    }
  }

  private async token(): Promise<string> {
    const { auth } = this.settings;
    if ('tokenFile' in auth) return secretIn(auth.tokenFile, 'Transit token');
    if (this.#token) return this.#token;
    const secretId = await secretIn(auth.secretIdFile, 'AppRole secret id');
    const answer = await this.post('/v1/auth/approle/login', { role_id: auth.roleId, secret_id: secretId });
    return (this.#token = parsed(SignedIn, answer).auth.client_token);
  }

  private async post(path: string, body: Record<string, string>, token?: string): Promise<unknown> {
    const { address, ca, namespace } = this.settings;
    let said: Trouble | 'something else' | undefined;
    const client = new HttpClient({
      baseUrl: address,
      // Where it is was configured on this machine, and it is inside most networks.
      allowPrivateAddresses: true,
      call: callWithin(PATIENCE),
      headers: {
        'x-vault-request': 'true',
        ...(token && { 'x-vault-token': token }),
        ...(namespace && { 'x-vault-namespace': namespace }),
      },
      ...(ca && { ca }),
      errorCode: (answer) => {
        const trouble = troubleIn(answer);
        said = trouble ?? 'something else';
        return trouble?.word;
      },
    });
    try {
      return (await client.request({ method: 'POST', path, body, changesNothing: true })).body;
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      throw asKeyProviderError(error, said);
    } finally {
      client.close();
    }
  }
}

class NotAllowed extends KeyProviderError {}

interface Trouble {
  word: string;
  kind: KeyProviderErrorKind;
}

/** What the engine says in words only, under the statuses 400 and 500 (`keysutil/policy.go`, issue hashicorp/vault#10842). */
function troubleIn(answer: unknown): Trouble | undefined {
  const text = Refused.safeParse(answer).data?.errors.join(' ') ?? '';
  if (text.includes('key not found')) return { word: 'there is no such key', kind: 'refused' };
  if (text.includes('disallowed by policy'))
    return { word: 'this version of the key may not be used any more', kind: 'refused' };
  if (/invalid ciphertext|message authentication failed/.test(text))
    return { word: 'it is not what was wrapped', kind: 'damaged' };
  if (text.includes('sealed')) return { word: 'it is sealed', kind: 'away' };
  return undefined;
}

/** @param said undefined: no engine answered; whoever did, or the lack of anybody, takes no key away from us. */
function asKeyProviderError(error: ToolError, said: Trouble | 'something else' | undefined): KeyProviderError {
  const options = { cause: error };
  if (said === undefined) return new KeyProviderError('away', error.message, options);
  if (said !== 'something else') return new KeyProviderError(said.kind, error.message, options);
  if (error.kind === 'forbidden' || error.kind === 'auth-broken') {
    return new NotAllowed('refused', `${error.message} Check the token, or the role, and its policy.`, options);
  }
  const isAway = error.kind === 'transient' || error.kind === 'rate-limited' || error.kind === 'ambiguous';
  return new KeyProviderError(isAway ? 'away' : 'refused', error.message, options);
}

function parsed<T extends z.ZodType>(schema: T, answer: unknown): z.infer<T> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new KeyProviderError('refused', 'What answers at SECRETS_TRANSIT_ADDRESS isn’t a Transit engine.');
}

async function secretIn(path: string, what: string): Promise<string> {
  try {
    return (await readPrivateFile(path, what, 'Have your agent write it, or make one.')).trim();
  } catch (error) {
    if (error instanceof KeyFileError) throw new KeyProviderError('refused', error.message);
    throw error;
  }
}

function nameOf({ mount }: TransitSettings, key: string): string {
  return `${mount}/keys/${key}`;
}

function associatedData(fingerprint: string): string {
  return Buffer.from(sealingKeyContext(fingerprint), 'utf8').toString('base64');
}
