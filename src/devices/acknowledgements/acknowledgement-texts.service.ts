import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { AcknowledgementText } from './acknowledgement-text.entity.js';

/** The only writer of `acknowledgement_texts`. */
@Injectable()
export class AcknowledgementTexts {
  constructor(private readonly audit: AuditService) {}

  /** The one that is asked for now; there is one from the first migration on. */
  async current(tx: EntityManager): Promise<AcknowledgementText> {
    const [newest] = await tx.find(AcknowledgementText, { order: { putAt: 'DESC' }, take: 1 });
    if (!newest) throw new Error('there is no text to sign');
    return newest;
  }

  /** From now on this one is asked for. Who was asked before signs what they were asked to. */
  async put(tx: EntityManager, actor: Actor, text: string): Promise<AcknowledgementText> {
    const current = await this.current(tx);
    if (current.text === text) return current;
    const sha256 = createHash('sha256').update(text, 'utf8').digest('hex');
    await tx.query(
      `INSERT INTO acknowledgement_texts (sha256, text, put_by) VALUES ($1, $2, $3)
       ON CONFLICT (sha256) DO UPDATE SET put_by = excluded.put_by, put_at = now()`,
      [sha256, text, actor.name],
    );
    await this.audit.record(tx, actor, 'acknowledgement-text.put', {
      subject: { kind: 'acknowledgement-text', id: sha256 },
    });
    return tx.findOneByOrFail(AcknowledgementText, { sha256 });
  }
}
