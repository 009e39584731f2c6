import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { RecoveryVault } from '../platform/crypto/recovery-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { RecoveryKeyReveal } from './recovery-key-reveal.entity.js';
import { RecoveryKey } from './recovery-key.entity.js';

export type KeptKey = Pick<RecoveryKey, 'id' | 'protects' | 'source' | 'keptBy' | 'keptAt'> & {
  /** Since it was kept: never, or the last time. */
  revealedAt: Date | null;
};

const PURPOSE = 'recovery-key';

/** The only writer of `recovery_keys` and of who read one. */
@Injectable()
export class RecoveryKeysService {
  constructor(
    private readonly vault: RecoveryVault,
    private readonly audit: AuditService,
  ) {}

  /** Keeps one more. @param tx of the caller, who made sure that the device exists @throws Problem `not-set-up` */
  async keep(
    tx: EntityManager,
    actor: Actor,
    deviceId: string,
    { key, ...about }: { key: string; protects: RecoveryKey['protects']; source: string },
  ): Promise<KeptKey> {
    const id = newId();
    const secretId = await this.vault.seal(tx, PURPOSE, key);
    await tx.insert(RecoveryKey, { ...about, id, deviceId, secretId, keptBy: actor.name });
    await this.audit.record(tx, actor, 'recovery-key.kept', {
      subject: { kind: 'device', id: deviceId },
      facts: { recoveryKeyId: id, ...about },
    });
    return this.get(tx, deviceId, id);
  }

  /** Newest first, and no key itself. */
  async list(tx: EntityManager, deviceId: string): Promise<KeptKey[]> {
    return queryRows<KeptKey>(tx, `${KEPT} WHERE k.device_id = $1 ORDER BY k.id DESC`, [deviceId]);
  }

  /** Written down before it is shown. @throws Problem `not-found`; `not-set-up` in a process that can't open them */
  async reveal(tx: EntityManager, actor: Actor, deviceId: string, id: string, reason: string): Promise<string> {
    const found = await tx.findOneBy(RecoveryKey, { id, deviceId });
    if (!found) throw noSuchKey();
    const key = await this.vault.open(tx, found.secretId);
    await tx.insert(RecoveryKeyReveal, { id: newId(), recoveryKeyId: id, reason, revealedBy: actor.name });
    await this.audit.record(tx, actor, 'recovery-key.revealed', {
      subject: { kind: 'device', id: deviceId },
      facts: { recoveryKeyId: id },
      personal: { reason },
    });
    return key;
  }

  private async get(tx: EntityManager, deviceId: string, id: string): Promise<KeptKey> {
    const [found] = await queryRows<KeptKey>(tx, `${KEPT} WHERE k.device_id = $1 AND k.id = $2`, [deviceId, id]);
    if (!found) throw noSuchKey();
    return found;
  }
}

const KEPT = `
  SELECT k.id, k.protects, k.source, k.kept_by AS "keptBy", k.kept_at AS "keptAt",
    (SELECT max(r.revealed_at) FROM recovery_key_reveals r WHERE r.recovery_key_id = k.id) AS "revealedAt"
  FROM recovery_keys k`;

function noSuchKey(): Problem {
  return new Problem('not-found', 'This device has no such recovery key.');
}
