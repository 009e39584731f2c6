import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { prepared } from '../database/prepared.js';
import { newId } from '../ids/new-id.js';
import { openWithKey, sealWithKey } from './aes-gcm.js';
import { Keyring } from './keyring.js';
import { SecretError } from './secret-error.js';
import { insertSecret, sealData, SECRET_COLUMNS, SECRET_VERSION, wrapData, type SecretRow } from './secret-row.js';
import type { WrappingKey } from './wrapping-key.js';

type KeyOf = (fingerprint: string) => WrappingKey;

/** Keeps secrets in the database so that the database alone is worth nothing: a data key per record, wrapped by a sealing key. */
@Injectable()
export class SecretVault {
  constructor(private readonly keys: Keyring) {}

  /** @returns the secret's id, which is all that other records and jobs hold. @throws KeysAway */
  async seal(tx: EntityManager, purpose: string, plaintext: string): Promise<string> {
    const id = newId();
    const version = SECRET_VERSION;
    const key = await this.keys.current(tx);
    const dataKey = randomBytes(32);
    const sealed = sealWithKey(dataKey, Buffer.from(plaintext, 'utf8'), sealData({ id, version, purpose }));
    const wrapped = key.wrap(dataKey, wrapData({ id, version }));
    dataKey.fill(0);
    await insertSecret(tx, { id, purpose, version, key_fingerprint: key.fingerprint, wrapped_key: wrapped, sealed });
    return id;
  }

  /** @throws SecretError, KeysAway */
  async open(tx: EntityManager, id: string): Promise<string> {
    return (await this.load(tx, [id]))(id);
  }

  /** Reads many sealed secrets at once. The answer opens one of them, and throws `SecretError` or `KeysAway` where it can't. */
  async load(tx: EntityManager, ids: readonly string[]): Promise<(id: string) => string> {
    const rows =
      ids.length === 0
        ? []
        : await tx.query<SecretRow[]>(prepared(`SELECT ${SECRET_COLUMNS} FROM secrets WHERE id = ANY($1::uuid[])`), [
            ids,
          ]);
    const byId = new Map(rows.map((row) => [row.id, row]));
    const keyOf = await this.keysOf(tx, rows);
    return (id) => unseal(id, byId.get(id), keyOf);
  }

  /**
   * The secrets that a query names, opened, and the time by the database's clock, in one round trip: for whoever checks
   * a signature with them.
   * @param ids a query for their ids, a constant text
   * @throws SecretError, KeysAway
   */
  async openSelected(
    tx: EntityManager,
    ids: string,
    parameters: readonly unknown[],
  ): Promise<{ now: Date; secrets: string[] }> {
    const selected = await tx.query<(Omit<SecretRow, 'id'> & { id: string | null; now: Date })[]>(
      prepared(`SELECT clock.now, s.* FROM (SELECT clock_timestamp() AS now) clock
        LEFT JOIN (SELECT ${SECRET_COLUMNS} FROM secrets WHERE id IN (${ids})) s ON true`),
      [...parameters],
    );
    const [{ now } = { now: undefined }] = selected;
    if (!now) throw new Error('PostgreSQL does not tell the time');
    const rows = selected.flatMap(({ id, ...row }): SecretRow[] => (id === null ? [] : [{ id, ...row }]));
    const keyOf = await this.keysOf(tx, rows);
    return { now, secrets: rows.map((row) => unseal(row.id, row, keyOf)) };
  }

  /** Gone for good with its data key; a secret that isn't there is gone already. */
  async destroy(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`DELETE FROM secrets WHERE id = $1`, [id]);
  }

  private async keysOf(tx: EntityManager, rows: readonly SecretRow[]): Promise<KeyOf> {
    return this.keys.take(
      tx,
      rows.map((row) => row.key_fingerprint),
    );
  }
}

function unseal(id: string, row: SecretRow | undefined, keyOf: KeyOf): string {
  if (!row) throw new SecretError(`There is no secret ${id}: it was destroyed, or never was.`);
  const key = keyOf(row.key_fingerprint);
  try {
    const dataKey = key.unwrap(row.wrapped_key, wrapData(row));
    return openWithKey(dataKey, row.sealed, sealData(row)).toString('utf8');
  } catch {
    throw new SecretError(`The secret ${id} was changed since it was sealed, so it isn't used.`);
  }
}
