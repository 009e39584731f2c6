import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../platform/sign-in/secret-token.js';
import { EnrolmentSecret } from './enrolment-secret.entity.js';

export interface NewEnrolmentSecret {
  name: string;
  uses: number;
  expiresAt: Date;
}

const DAY = 24 * 60 * 60 * 1_000;
/** A batch is imaged within weeks; whoever finds an old image must find nothing in it that still works. */
const LONGEST_DAYS = 90;

/** The only writer of `osquery_enrolment_secrets`, but for the count of uses, which an enrolment raises. */
@Injectable()
export class EnrolmentSecrets {
  constructor(private readonly audit: AuditService) {}

  /**
   * @returns the secret itself, which can't be shown again
   * @throws Problem `invalid-request` for an end that is past or too far away
   */
  async create(
    tx: EntityManager,
    actor: Actor,
    { name, uses, expiresAt }: NewEnrolmentSecret,
  ): Promise<{ id: string; secret: string }> {
    const now = await databaseNow(tx);
    if (expiresAt <= now || expiresAt.getTime() > now.getTime() + LONGEST_DAYS * DAY) {
      const detail = `An enrolment secret ends within ${LONGEST_DAYS} days.`;
      throw new Problem('invalid-request', detail, [{ pointer: '/expiresAt', detail }]);
    }
    const id = newId();
    const secret = newSecretToken();
    await tx.insert(EnrolmentSecret, { id, name, uses, expiresAt, secretHash: hashToken(secret) });
    await this.audit.record(tx, actor, 'osquery-secret.created', {
      subject: { kind: 'osquery-secret', id },
      facts: { name, uses, expiresAt },
    });
    return { id, secret };
  }

  /** Newest first. */
  async list(tx: EntityManager): Promise<EnrolmentSecret[]> {
    return tx.find(EnrolmentSecret, { order: { id: 'DESC' } });
  }

  /** Nobody enrols with it any more; who did stays enrolled. @throws Problem `not-found` */
  async revoke(tx: EntityManager, actor: Actor, id: string): Promise<EnrolmentSecret> {
    const revoked = await queryRows(
      tx,
      `UPDATE osquery_enrolment_secrets SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id`,
      [id],
    );
    const secret = await tx.findOneBy(EnrolmentSecret, { id });
    if (!secret) throw new Problem('not-found', 'There is no enrolment secret with this id.');
    if (revoked.length > 0) {
      await this.audit.record(tx, actor, 'osquery-secret.revoked', { subject: { kind: 'osquery-secret', id } });
    }
    return secret;
  }
}
