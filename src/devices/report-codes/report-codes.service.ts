import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../../platform/audit/audit.service.js';
import { queryRows } from '../../platform/database/query-rows.js';
import { Problem } from '../../platform/errors/problem.js';
import { newId } from '../../platform/ids/new-id.js';
import { requireWithin } from '../../platform/roles/within-reach.js';
import type { Actor } from '../../platform/sign-in/actor.js';
import { hashToken } from '../../platform/sign-in/secret-token.js';
import { newReportCode, plainCode } from './code-text.js';
import { ReportCode } from './report-code.entity.js';

/** Whose code it is. */
export interface CodeHolder {
  codeId: string;
  personId: string;
  displayName: string;
}

/** The only writer of `report_codes`. */
@Injectable()
export class ReportCodes {
  constructor(private readonly audit: AuditService) {}

  /**
   * A new code, which is shown now and never again; the one before ends.
   * @returns null for somebody who has left: there is no access to cut
   * @throws Problem `not-found`
   */
  async give(tx: EntityManager, actor: Actor, personId: string): Promise<string | null> {
    await requireWithin(tx, actor, 'whole person', personId);
    const [person] = await queryRows<{ status: string }>(tx, `SELECT status FROM people WHERE id = $1 FOR UPDATE`, [
      personId,
    ]);
    if (!person) throw new Problem('not-found', 'There is no person with this id.');
    if (person.status === 'left') return null;
    await tx.query(`UPDATE report_codes SET ended_at = now() WHERE person_id = $1 AND ended_at IS NULL`, [personId]);
    const code = newReportCode();
    const id = newId();
    await tx.insert(ReportCode, { id, personId, codeHash: hashToken(plainCode(code)), givenBy: actor.name });
    await this.audit.record(tx, actor, 'report-code.given', {
      subject: { kind: 'person', id: personId },
      facts: { reportCodeId: id },
    });
    return code;
  }

  /** Null: nobody's, or not any more. */
  async holderOf(tx: EntityManager, typed: string): Promise<CodeHolder | null> {
    const [holder] = await queryRows<CodeHolder>(
      tx,
      `SELECT c.id AS "codeId", p.id AS "personId", p.display_name AS "displayName"
       FROM report_codes c JOIN people p ON p.id = c.person_id
       WHERE c.code_hash = $1 AND c.ended_at IS NULL AND p.status <> 'left'`,
      [hashToken(plainCode(typed))],
    );
    return holder ?? null;
  }

  /** It is used up: the next laptop comes with another one. */
  async use(tx: EntityManager, codeId: string): Promise<void> {
    await tx.query(`UPDATE report_codes SET ended_at = now(), used_at = now() WHERE id = $1 AND ended_at IS NULL`, [
      codeId,
    ]);
  }
}
