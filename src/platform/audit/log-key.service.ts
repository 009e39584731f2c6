import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SecretVault } from '../crypto/secret-vault.service.js';
import { AuditLog } from './audit-log.entity.js';
import { NoteSigner, NoteVerifier } from './signed-note.js';

const PURPOSE = 'audit-log.key';

/** The key that signs checkpoints. Its private half is sealed like every other secret, and opened for a signature only. */
@Injectable()
export class LogKey {
  constructor(private readonly vault: SecretVault) {}

  /** Makes the key where there is none yet; only `quartermaster init` does. @returns whether it was made */
  async make(tx: EntityManager, name: string): Promise<boolean> {
    const log = await tx.findOneOrFail(AuditLog, { where: { id: 1 }, lock: { mode: 'pessimistic_write' } });
    if (log.secretId !== null) return false;
    const seed = randomBytes(32);
    const { verifier } = new NoteSigner(name, seed);
    const secretId = await this.vault.seal(tx, PURPOSE, seed.toString('base64'));
    await tx.update(AuditLog, { id: 1 }, { keyName: verifier.name, publicKey: verifier.publicBytes, secretId });
    return true;
  }

  /** Null where no key was made yet. @throws SecretError */
  async signer(tx: EntityManager): Promise<NoteSigner | null> {
    const { keyName, secretId } = await tx.findOneByOrFail(AuditLog, { id: 1 });
    if (keyName === null || secretId === null) return null;
    return new NoteSigner(keyName, Buffer.from(await this.vault.open(tx, secretId), 'base64'));
  }
}

/** Null where no key was made yet. Whoever can write to the database can change it: an auditor keeps it elsewhere. */
export async function verifierOf(tx: EntityManager): Promise<NoteVerifier | null> {
  const { keyName, publicKey } = await tx.findOneByOrFail(AuditLog, { id: 1 });
  return keyName === null || publicKey === null ? null : new NoteVerifier(keyName, publicKey);
}
