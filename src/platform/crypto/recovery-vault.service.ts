import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../ids/new-id.js';
import { openWithKey, sealWithKey } from './aes-gcm.js';
import { RecoveryRing } from './recovery-ring.js';
import { SecretError } from './secret-error.js';
import { insertSecret, sealData, SECRET_COLUMNS, SECRET_VERSION, type SecretRow } from './secret-row.js';

/** Keeps what opens disks apart from the other secrets, under a key that only a process with its identity opens. */
@Injectable()
export class RecoveryVault {
  constructor(private readonly ring: RecoveryRing) {}

  /** Whether there is a key to seal under. */
  get isSetUp(): boolean {
    return this.ring.fingerprint !== null;
  }

  /** Works in every process. @returns the secret's id @throws Problem `not-set-up` */
  async seal(tx: EntityManager, purpose: string, plaintext: string): Promise<string> {
    const id = newId();
    const version = SECRET_VERSION;
    const { fingerprint, wrap } = await this.ring.current(tx);
    const dataKey = randomBytes(32);
    const sealed = sealWithKey(dataKey, Buffer.from(plaintext, 'utf8'), sealData({ id, version, purpose }));
    const wrapped = await wrap(dataKey);
    dataKey.fill(0);
    await insertSecret(tx, { id, purpose, version, key_fingerprint: fingerprint, wrapped_key: wrapped, sealed });
    return id;
  }

  /** @throws Problem `not-set-up` where the identity isn't; SecretError */
  async open(tx: EntityManager, id: string): Promise<string> {
    const openDataKey = await this.ring.opener();
    const [row] = await tx.query<SecretRow[]>(`SELECT ${SECRET_COLUMNS} FROM secrets WHERE id = $1`, [id]);
    if (!row) throw new SecretError(`There is no secret ${id}: it was destroyed, or never was.`);
    const dataKey = await openDataKey(row);
    try {
      return openWithKey(dataKey, row.sealed, sealData(row)).toString('utf8');
    } catch {
      throw new SecretError(`The recovery key ${id} was changed since it was sealed, so it isn't used.`);
    }
  }
}
