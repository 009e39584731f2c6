import { timingSafeEqual } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { InstallationKey } from './installation-key.js';
import { KeyProviderError, type KeyProvider, type ProviderKind } from './key-provider.js';
import { KeyFileProvider } from './providers/key-file-provider.js';
import { KeysAway, SecretError } from './secret-error.js';
import type { KeyRing } from './sealing-key.entity.js';
import { WrappingKey } from './wrapping-key.js';

/** Milliseconds. */
export interface KeyLife {
  /** A key that was unwrapped this long ago is unwrapped anew: somebody may have taken the right to it away. */
  renewAfter: number;
  /** And this long ago it isn't used any more, whatever the provider's trouble is. */
  dropAfter: number;
  /** A provider that didn't answer isn't asked again before: its trouble mustn't hold up everybody. */
  askAgainAfter: number;
}

const LIFE: KeyLife = { renewAfter: 4 * 60_000, dropAfter: 15 * 60_000, askAgainAfter: 2_000 };

interface KeyRow {
  fingerprint: string;
  ring: KeyRing;
  provider: string;
  key_name: string;
  wrapped: Buffer | null;
}

const KEY_COLUMNS = 'fingerprint, ring, provider, key_name, wrapped';

interface Held {
  key?: WrappingKey;
  unwrappedAt: number;
  failure?: { at: number; error: KeyProviderError };
  pending?: Promise<WrappingKey>;
}

/** The keys that wrap data keys: which one seals now, and each that still opens, in memory for a short while. */
export class Keyring {
  readonly #held = new Map<string, Held>();
  /** Whether a key could not be had the last time that they were asked for. */
  isTroubled = false;
  private readonly providers: ReadonlyMap<string, KeyProvider>;

  /**
   * @param providers who may wrap and unwrap; the installation's file always may
   * @param clock milliseconds that only go forward
   */
  constructor(
    readonly installation: InstallationKey,
    providers: readonly KeyProvider[] = [],
    private readonly life: KeyLife = LIFE,
    private readonly clock: () => number = () => performance.now(),
  ) {
    const all = [new KeyFileProvider([installation]), ...providers];
    this.providers = new Map(all.map((provider) => [provider.kind, provider]));
  }

  /** @throws KeyProviderError for one that this process isn't set up for */
  provider(kind: ProviderKind): KeyProvider {
    const provider = this.providers.get(kind);
    if (provider) return provider;
    throw new KeyProviderError('refused', `This process isn't set up for ${kind}. ${HOW_TO_SET_UP[kind]}`);
  }

  /** What seals from now on: the installation's own key until a sealing key was made. @throws KeysAway */
  async current(tx: EntityManager): Promise<WrappingKey> {
    const [row] = await tx.query<KeyRow[]>(
      `SELECT ${KEY_COLUMNS} FROM sealing_keys WHERE ring = 'standard' AND state = 'current'`,
    );
    return row ? this.unwrapped(row) : this.installation;
  }

  /**
   * Gets many keys at once. The answer gives one of them, and throws `SecretError` for one that isn't on the standard ring, or
   * `KeysAway`: what can't be opened with it is nobody else's trouble.
   */
  async take(tx: EntityManager, fingerprints: readonly string[]): Promise<(fingerprint: string) => WrappingKey> {
    const taken = new Map<string, WrappingKey | Error>();
    for (const fingerprint of new Set(fingerprints)) {
      taken.set(fingerprint, await this.find(tx, fingerprint).catch(asTrouble));
    }
    return (fingerprint) => {
      const key = taken.get(fingerprint);
      if (key instanceof WrappingKey) return key;
      throw key ?? new Error('a key that nobody asked for');
    };
  }

  /**
   * Unwraps anew what is getting old, and what isn't in memory yet; forgets what is too old. Done once a minute by each
   * process, so that hardly anybody else waits for a provider.
   * @returns what could not be had, and why
   */
  async renew(tx: EntityManager): Promise<{ fingerprint: string; provider: string; error: KeyProviderError }[]> {
    for (const [fingerprint, { unwrappedAt }] of this.#held) {
      if (this.clock() - unwrappedAt >= this.life.dropAfter) this.#held.delete(fingerprint);
    }
    const rows = await tx.query<KeyRow[]>(
      `SELECT ${KEY_COLUMNS} FROM sealing_keys
       WHERE ring = 'standard' AND state <> 'retired' AND wrapped IS NOT NULL ORDER BY made_at`,
    );
    const troubles = [];
    for (const row of rows) {
      const held = this.#held.get(row.fingerprint);
      if (held?.key && this.clock() - held.unwrappedAt < this.life.renewAfter) continue;
      try {
        await this.unwrapNow(row);
      } catch (error) {
        if (!(error instanceof KeyProviderError)) throw error;
        troubles.push({ fingerprint: row.fingerprint, provider: row.provider, error });
      }
    }
    this.isTroubled = troubles.length > 0;
    return troubles;
  }

  /**
   * Asks the provider, whatever is in memory: the proof that a key can still be had.
   * @throws KeyProviderError; SecretError when there is no such key on the standard ring
   */
  async prove(tx: EntityManager, fingerprint: string): Promise<void> {
    const row = await this.row(tx, fingerprint);
    if (row.wrapped) await this.unwrapNow(row);
  }

  /** Wraps a key that was just made, and has it unwrapped again before anything is sealed with it. @throws KeyProviderError */
  async adopt(provider: KeyProvider, bytes: Buffer): Promise<{ fingerprint: string; wrapped: Buffer }> {
    const { fingerprint } = new WrappingKey(bytes);
    const wrapped = await provider.wrap(bytes, fingerprint);
    const again = await provider.unwrap(wrapped, fingerprint, provider.keyName);
    if (again.length !== bytes.length || !timingSafeEqual(again, bytes)) {
      throw new KeyProviderError(
        'damaged',
        `${provider.kind} gives another key back than it was given; it isn't used.`,
      );
    }
    return { fingerprint, wrapped };
  }

  private async find(tx: EntityManager, fingerprint: string): Promise<WrappingKey> {
    if (fingerprint === this.installation.fingerprint) return this.installation;
    return this.fresh(fingerprint) ?? this.unwrapped(await this.row(tx, fingerprint));
  }

  private async row(tx: EntityManager, fingerprint: string): Promise<KeyRow> {
    const [row] = await tx.query<KeyRow[]>(`SELECT ${KEY_COLUMNS} FROM sealing_keys WHERE fingerprint = $1`, [
      fingerprint,
    ]);
    if (row?.ring === 'standard') return row;
    throw new SecretError(
      row
        ? 'It is a recovery key: those open only where their identity is.'
        : `It is sealed with the key ${fingerprint}, which isn't one of this installation's.`,
    );
  }

  private async unwrapped(row: KeyRow): Promise<WrappingKey> {
    if (row.fingerprint === this.installation.fingerprint) return this.installation;
    const fresh = this.fresh(row.fingerprint);
    if (fresh) return fresh;
    const failure = this.#held.get(row.fingerprint)?.failure;
    if (failure && this.clock() - failure.at < this.life.askAgainAfter) throw new KeysAway(failure.error);
    return this.unwrapNow(row).catch((error: unknown) => {
      throw error instanceof KeyProviderError ? new KeysAway(error) : error;
    });
  }

  private fresh(fingerprint: string): WrappingKey | undefined {
    const held = this.#held.get(fingerprint);
    return held && this.clock() - held.unwrappedAt < this.life.dropAfter ? held.key : undefined;
  }

  /** One question at a time for each key, whoever asks. */
  private async unwrapNow(row: KeyRow): Promise<WrappingKey> {
    const held = this.#held.get(row.fingerprint) ?? { unwrappedAt: -Infinity };
    this.#held.set(row.fingerprint, held);
    held.pending ??= this.askProvider(row)
      .then((key) => {
        this.#held.set(row.fingerprint, { key, unwrappedAt: this.clock() });
        return key;
      })
      .catch((error: unknown) => {
        delete held.pending;
        if (error instanceof KeyProviderError) {
          held.failure = { at: this.clock(), error };
          // Who is told no gives up what he has. An outage takes nothing away before its time.
          if (error.kind !== 'away') delete held.key;
        }
        throw error;
      });
    return held.pending;
  }

  private async askProvider({ fingerprint, provider, key_name, wrapped }: KeyRow): Promise<WrappingKey> {
    if (!wrapped) throw new KeyProviderError('damaged', `The sealing key ${fingerprint} is not in the database.`);
    const bytes = await this.provider(provider as ProviderKind).unwrap(wrapped, fingerprint, key_name);
    const key = bytes.length === 32 ? new WrappingKey(bytes) : undefined;
    bytes.fill(0);
    if (key?.fingerprint === fingerprint) return key;
    throw new KeyProviderError('damaged', `${provider} unwraps something else than the sealing key ${fingerprint}.`);
  }
}

const HOW_TO_SET_UP: Readonly<Record<ProviderKind, string>> = {
  'key-file': 'Set QUARTERMASTER_KEY_FILE.',
  age: 'Set SECRETS_AGE_IDENTITY_FILE.',
  'aws-kms': 'Set SECRETS_KMS_KEYS.',
  transit: 'Set SECRETS_TRANSIT_ADDRESS.',
};

function asTrouble(error: unknown): Error {
  if (error instanceof SecretError || error instanceof KeysAway) return error;
  throw error;
}
