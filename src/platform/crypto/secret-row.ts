import type { EntityManager } from 'typeorm';

/** Of the way in which a record is sealed, so that another one can come. */
export const SECRET_VERSION = 1;

/** A row of `secrets`. */
export interface SecretRow {
  id: string;
  purpose: string;
  version: number;
  key_fingerprint: string;
  wrapped_key: Buffer;
  sealed: Buffer;
}

export const SECRET_COLUMNS = 'id, purpose, version, key_fingerprint, wrapped_key, sealed';

export async function insertSecret(tx: EntityManager, row: SecretRow): Promise<void> {
  await tx.query(`INSERT INTO secrets (${SECRET_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)`, [
    row.id,
    row.purpose,
    row.version,
    row.key_fingerprint,
    row.wrapped_key,
    row.sealed,
  ]);
}

// Additional data = table, row, column, version: a sealed value moved to another row or column doesn't open there.
export function sealData({ id, version, purpose }: Pick<SecretRow, 'id' | 'version' | 'purpose'>): string {
  return JSON.stringify(['secrets', id, 'sealed', version, purpose]);
}

export function wrapData({ id, version }: Pick<SecretRow, 'id' | 'version'>): string {
  return JSON.stringify(['secrets', id, 'wrapped_key', version]);
}
