import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { HrSource } from './hr-source.entity.js';

const SECRETS_AT_ONCE = 2;

/** HR systems that may post events, and the secrets that they sign with. */
@Injectable()
export class HrSourcesService {
  constructor(
    private readonly db: DataSource,
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
  ) {}

  /**
   * Adds a source, or a second secret to one that exists: the older of two stops counting when a third is made. Answers
   * the new secret (`whsec_…`), this once.
   */
  async addSecret(name: string, actor: Actor): Promise<string> {
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) {
      throw new Problem('invalid-request', "A source's name has lower-case letters, digits and hyphens only.");
    }
    return inTransaction(this.db, async (tx) => {
      const secret = `whsec_${randomBytes(32).toString('base64')}`;
      const secretId = await this.vault.seal(tx, 'hr-source', secret);
      const source = await tx.findOne(HrSource, { where: { name }, lock: { mode: 'pessimistic_write' } });
      const secretIds = [...(source?.secretIds ?? []), secretId];
      const outdated = secretIds.splice(0, Math.max(0, secretIds.length - SECRETS_AT_ONCE));
      if (source) await tx.update(HrSource, { name }, { secretIds });
      else await tx.insert(HrSource, { name, secretIds });
      for (const id of outdated) await this.vault.destroy(tx, id);
      await this.audit.record(tx, actor, 'hr-source.secret-added', { subject: { kind: 'hr-source', id: name } });
      return secret;
    });
  }

  /**
   * What a request of this source is checked against: its secrets, and the time by the database's clock. No secrets for a
   * source that nobody set up: no signature matches then.
   */
  async credentialsOf(name: string): Promise<{ secrets: readonly string[]; now: Date }> {
    return this.vault.openSelected(this.db.manager, `SELECT unnest(secret_ids) FROM hr_sources WHERE name = $1`, [
      name,
    ]);
  }

  async list(): Promise<HrSource[]> {
    return this.db.manager.find(HrSource, { order: { name: 'ASC' } });
  }
}
