import { Injectable } from '@nestjs/common';
import { DataSource, IsNull } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { CosignatureVerifier } from '../platform/audit/cosignature.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { NewWitness } from './new-witness.js';
import { witnessAlertKeys } from './tell-of-witness.js';
import { Witness } from './witness.entity.js';

/** Who cosigns this log. */
@Injectable()
export class WitnessesService {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
  ) {}

  /** By name. */
  async list(): Promise<Witness[]> {
    return this.db.manager.find(Witness, { where: { removedAt: IsNull() }, order: { name: 'ASC' } });
  }

  /** It is asked from then on. @throws Problem `conflict` when there is one of this name */
  async add(actor: Actor, { url, key, allowPrivateAddresses }: NewWitness): Promise<Witness> {
    const { name, publicBytes } = CosignatureVerifier.parse(key);
    const id = newId();
    return inTransaction(this.db, async (tx) => {
      const added = await queryRows(
        tx,
        `INSERT INTO audit_witnesses (id, name, public_key, url, allow_private_addresses) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) WHERE removed_at IS NULL DO NOTHING RETURNING id`,
        [id, name, publicBytes, url, allowPrivateAddresses],
      );
      if (added.length === 0) throw new Problem('conflict', `There is a witness “${name}” already. Remove it first.`);
      await this.audit.record(tx, actor, 'witness.added', {
        subject: { kind: 'witness', id },
        facts: { key: key.trim(), url, allowPrivateAddresses },
      });
      return tx.findOneByOrFail(Witness, { id });
    });
  }

  /** It isn't asked any more; what it signed stays. @throws Problem `not-found` */
  async remove(actor: Actor, id: string): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [removed] = await queryRows<{ name: string }>(
        tx,
        `UPDATE audit_witnesses SET removed_at = now() WHERE id = $1 AND removed_at IS NULL RETURNING name`,
        [id],
      );
      if (!removed) throw new Problem('not-found', 'There is no witness with this id.');
      await this.alerts.resolve(tx, witnessAlertKeys(id));
      await this.audit.record(tx, actor, 'witness.removed', {
        subject: { kind: 'witness', id },
        facts: { name: removed.name },
      });
    });
  }
}
