import type { EntityManager } from 'typeorm';
import type { Keyring } from './keyring.js';
import { SecretError } from './secret-error.js';
import { wrapData } from './secret-row.js';
import type { WrappedRow, WrappingRing } from './wrapping-ring.js';

/** What most secrets are under: keys that each process can have. */
export class StandardRing implements WrappingRing {
  readonly ring = 'standard';

  constructor(private readonly keyring: Keyring) {}

  async current(tx: EntityManager) {
    const key = await this.keyring.current(tx);
    return {
      fingerprint: key.fingerprint,
      wrap: async (dataKey: Buffer, row: Pick<WrappedRow, 'id' | 'version'>) => key.wrap(dataKey, wrapData(row)),
    };
  }

  async opener(tx: EntityManager, rows: readonly WrappedRow[]): Promise<(row: WrappedRow) => Promise<Buffer>> {
    const keyOf = await this.keyring.take(
      tx,
      rows.map((row) => row.key_fingerprint),
    );
    return async (row) => {
      const key = keyOf(row.key_fingerprint);
      try {
        return key.unwrap(row.wrapped_key, wrapData(row));
      } catch {
        throw new SecretError(`The secret ${row.id} was changed since it was sealed, so it isn't used.`);
      }
    };
  }
}
