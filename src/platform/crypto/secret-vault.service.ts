import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { prepared } from '../database/prepared.js';
import { newId } from '../ids/new-id.js';
import { openWithKey, sealWithKey } from './aes-gcm.js';
import { InstallationKey } from './installation-key.js';

const VERSION = 1;

interface SecretRow {
  id: string;
  purpose: string;
  version: number;
  key_fingerprint: string;
  wrapped_key: Buffer;
  sealed: Buffer;
}

/** A secret can't be opened: it is gone, sealed with another key, or was changed. The message never holds it. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

/** Keeps secrets in the database so that the database alone is worth nothing: a data key per record, wrapped by the installation's. */
@Injectable()
export class SecretVault {
  constructor(private readonly key: InstallationKey) {}

  /** @returns the secret's id, which is all that other records and jobs hold. */
  async seal(tx: EntityManager, purpose: string, plaintext: string): Promise<string> {
    const id = newId();
    const dataKey = randomBytes(32);
    const sealed = sealWithKey(dataKey, Buffer.from(plaintext, 'utf8'), sealData(id, VERSION, purpose));
    const wrapped = this.key.wrap(dataKey, wrapData(id, VERSION));
    dataKey.fill(0);
    await tx.query(
      `INSERT INTO secrets (id, purpose, version, key_fingerprint, wrapped_key, sealed) VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, purpose, VERSION, this.key.fingerprint, wrapped, sealed],
    );
    return id;
  }

  /** @throws SecretError */
  async open(tx: EntityManager, id: string): Promise<string> {
    return (await this.load(tx, [id]))(id);
  }

  /** Reads many sealed secrets at once. The answer opens one of them, and throws `SecretError` where it can't. */
  async load(tx: EntityManager, ids: readonly string[]): Promise<(id: string) => string> {
    const rows =
      ids.length === 0
        ? []
        : await tx.query<SecretRow[]>(
            prepared(
              `SELECT id, purpose, version, key_fingerprint, wrapped_key, sealed FROM secrets WHERE id = ANY($1::uuid[])`,
            ),
            [ids],
          );
    const byId = new Map(rows.map((row) => [row.id, row]));
    return (id) => this.unseal(id, byId.get(id));
  }

  /**
   * The secrets that a query names, opened, and the time by the database's clock, in one round trip: for whoever checks
   * a signature with them.
   * @param ids a query for their ids, a constant text
   * @throws SecretError
   */
  async openSelected(
    tx: EntityManager,
    ids: string,
    parameters: readonly unknown[],
  ): Promise<{ now: Date; secrets: string[] }> {
    const rows = await tx.query<(Omit<SecretRow, 'id'> & { id: string | null; now: Date })[]>(
      prepared(`SELECT clock.now, s.id, s.purpose, s.version, s.key_fingerprint, s.wrapped_key, s.sealed
        FROM (SELECT clock_timestamp() AS now) clock LEFT JOIN secrets s ON s.id IN (${ids})`),
      [...parameters],
    );
    const [{ now } = { now: undefined }] = rows;
    if (!now) throw new Error('PostgreSQL does not tell the time');
    return { now, secrets: rows.flatMap(({ id, ...row }) => (id === null ? [] : [this.unseal(id, { id, ...row })])) };
  }

  private unseal(id: string, row: SecretRow | undefined): string {
    if (!row) throw new SecretError(`There is no secret ${id}: it was destroyed, or never was.`);
    if (row.key_fingerprint !== this.key.fingerprint) {
      throw new SecretError(`The secret ${id} is sealed with the key ${row.key_fingerprint}, not with this one.`);
    }
    try {
      const dataKey = this.key.unwrap(row.wrapped_key, wrapData(id, row.version));
      return openWithKey(dataKey, row.sealed, sealData(id, row.version, row.purpose)).toString('utf8');
    } catch {
      throw new SecretError(`The secret ${id} was changed since it was sealed, so it isn't used.`);
    }
  }

  /** Gone for good with its data key; a secret that isn't there is gone already. */
  async destroy(tx: EntityManager, id: string): Promise<void> {
    await tx.query(`DELETE FROM secrets WHERE id = $1`, [id]);
  }
}

// Additional data = table, row, column, version: a sealed value moved to another row or column doesn't open there.
function sealData(id: string, version: number, purpose: string): string {
  return JSON.stringify(['secrets', id, 'sealed', version, purpose]);
}

function wrapData(id: string, version: number): string {
  return JSON.stringify(['secrets', id, 'wrapped_key', version]);
}
