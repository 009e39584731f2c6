import type { EntityManager } from 'typeorm';
import type { KeyRing } from './sealing-key.entity.js';
import type { SecretRow } from './secret-row.js';

/** What is needed to wrap a data key anew. */
export type WrappedRow = Pick<SecretRow, 'id' | 'purpose' | 'version' | 'key_fingerprint' | 'wrapped_key'>;

/** How the data keys of one ring's secrets are wrapped and unwrapped. */
export interface WrappingRing {
  readonly ring: KeyRing;
  /** What wraps from now on. */
  current(tx: EntityManager): Promise<{
    fingerprint: string;
    wrap: (dataKey: Buffer, row: Pick<WrappedRow, 'id' | 'version'>) => Promise<Buffer>;
  }>;
  /** Unwraps these rows' data keys. The answer throws `SecretError` for one that was changed, and `KeysAway`. */
  opener(tx: EntityManager, rows: readonly WrappedRow[]): Promise<(row: WrappedRow) => Promise<Buffer>>;
}
