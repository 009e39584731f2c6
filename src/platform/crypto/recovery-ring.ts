import { Decrypter, Encrypter } from 'age-encryption';
import type { EntityManager } from 'typeorm';
import { Problem } from '../errors/problem.js';
import type { AgeIdentity } from './providers/age-identities.js';
import type { WrappedRow, WrappingRing } from './wrapping-ring.js';
import { SecretError } from './secret-error.js';
import { fingerprintOf } from './wrapping-key.js';

/**
 * The key of recovery keys: age recipients, which every process may have, and the identities that belong to them, which
 * only a process that shows recovery keys has. Who has no identity seals and can't open, whatever else it holds.
 */
export class RecoveryRing implements WrappingRing {
  readonly ring = 'recovery';
  readonly fingerprint: string | null;
  readonly #identities: readonly AgeIdentity[];

  /** @param recipients any one of their identities opens; so one may be kept apart, for the day the other is lost */
  constructor(
    private readonly recipients: readonly string[] = [],
    identities: readonly AgeIdentity[] = [],
  ) {
    this.#identities = identities;
    this.fingerprint = recipients.length === 0 ? null : fingerprintOf([...recipients].toSorted().join('\n'));
  }

  get opens(): boolean {
    return this.#identities.length > 0;
  }

  /** Has the key in the list of sealing keys. @throws Problem `not-set-up` */
  async current(tx: EntityManager): Promise<{ fingerprint: string; wrap: (dataKey: Buffer) => Promise<Buffer> }> {
    const { fingerprint } = this;
    if (fingerprint === null) {
      throw new Problem(
        'not-set-up',
        'No recovery key can be kept yet: RECOVERY_RECIPIENTS is not set. See docs/secrets.md.',
      );
    }
    const known = await tx.query<object[]>(`SELECT 1 FROM sealing_keys WHERE fingerprint = $1`, [fingerprint]);
    if (known.length === 0) {
      await tx.query(`UPDATE sealing_keys SET state = 'opening' WHERE ring = 'recovery' AND state = 'current'`);
      await tx.query(
        `INSERT INTO sealing_keys (fingerprint, ring, provider, key_name, state) VALUES ($1, 'recovery', 'age', $2, 'current')
         ON CONFLICT DO NOTHING`,
        [fingerprint, this.recipients.map((one) => one.slice(0, 62)).join(', ')],
      );
    }
    return { fingerprint, wrap: (dataKey) => this.wrap(dataKey) };
  }

  async opener(): Promise<(row: Pick<WrappedRow, 'id' | 'wrapped_key'>) => Promise<Buffer>> {
    if (!this.opens) {
      throw new Problem(
        'not-set-up',
        'This process can’t open recovery keys: it has no RECOVERY_IDENTITY_FILE. See docs/secrets.md.',
      );
    }
    const decrypter = new Decrypter();
    for (const { identity } of this.#identities) decrypter.addIdentity(identity);
    return async ({ id, wrapped_key }) => {
      try {
        return Buffer.from(await decrypter.decrypt(wrapped_key));
      } catch {
        throw new SecretError(`None of the identities here opens the recovery key ${id}, or it was changed.`);
      }
    };
  }

  private async wrap(dataKey: Buffer): Promise<Buffer> {
    const encrypter = new Encrypter();
    for (const recipient of this.recipients) encrypter.addRecipient(recipient);
    return Buffer.from(await encrypter.encrypt(dataKey));
  }
}
