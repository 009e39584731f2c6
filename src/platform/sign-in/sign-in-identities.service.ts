import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { queryRows } from '../database/query-rows.js';
import { Problem } from '../errors/problem.js';
import { newId } from '../ids/new-id.js';
import { RoleAssignments } from '../roles/role-assignments.service.js';
import type { Actor } from './actor.js';
import { BrowserSessions } from './browser-sessions.service.js';
import { userPrincipal } from './principals.js';
import { SecurityKeys } from './security-keys/security-keys.service.js';
import { SignInIdentity } from './sign-in-identity.entity.js';

export interface Admission {
  issuer: string;
  subject: string;
  displayName: string;
  personId: string | null;
}

/** Who may sign in through the OpenID provider. Nobody is let in because their e-mail address looks right. */
@Injectable()
export class SignInIdentities {
  constructor(
    private readonly audit: AuditService,
    private readonly sessions: BrowserSessions,
    private readonly roles: RoleAssignments,
    private readonly keys: SecurityKeys,
  ) {}

  /** Lets somebody in, who may do nothing before a role is given to them; or changes what was said of them. @returns the identity's id */
  async admit(tx: EntityManager, by: Actor, { issuer, subject, displayName, personId }: Admission): Promise<string> {
    const before = await tx.findOneBy(SignInIdentity, { issuer, subject });
    const [row] = await queryRows<{ id: string }>(
      tx,
      `INSERT INTO sign_in_identities (id, issuer, subject, display_name, person_id) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (issuer, subject) DO UPDATE SET display_name = excluded.display_name, person_id = excluded.person_id,
         withdrawn_at = NULL
       RETURNING id`,
      [newId(), issuer, subject, displayName, personId],
    );
    if (!row) throw new Error('an identity was neither made nor changed');
    // What was said of them changed: who they are.
    await this.sessions.endOfIdentities(tx, by, [row.id], 'the identity was admitted anew');
    await this.audit.record(tx, by, 'sign-in-identity.admitted', {
      subject: { kind: 'sign-in-identity', id: row.id },
      facts: { issuer },
      ...(before && { before: { personId: before.personId, withdrawn: before.withdrawnAt !== null } }),
      after: { personId, withdrawn: false },
      personal: { subject, displayName },
    });
    return row.id;
  }

  /** Ends its sessions, roles and security keys, and it starts no new session. @throws Problem `not-found` */
  async withdraw(tx: EntityManager, by: Actor, id: string): Promise<void> {
    const withdrawn = await queryRows(
      tx,
      `UPDATE sign_in_identities SET withdrawn_at = now() WHERE id = $1 AND withdrawn_at IS NULL RETURNING id`,
      [id],
    );
    if (withdrawn.length === 0)
      throw new Problem('not-found', 'There is no such identity, or it was withdrawn before.');
    await this.keys.removeAllOf(tx, by, [id]);
    await this.sessions.endOfIdentities(tx, by, [id], 'the identity was withdrawn');
    await this.roles.endAllOf(tx, by, [userPrincipal(id)], 'their sign-in was withdrawn');
    await this.audit.record(tx, by, 'sign-in-identity.withdrawn', { subject: { kind: 'sign-in-identity', id } });
  }

  async list(tx: EntityManager): Promise<SignInIdentity[]> {
    return tx.find(SignInIdentity, { order: { id: 'ASC' } });
  }

  /**
   * For whoever starts a session in this transaction: until it ends nobody else decides about the identity, so that a
   * session and the end of all sessions never miss each other.
   */
  async find(tx: EntityManager, issuer: string, subject: string): Promise<SignInIdentity | null> {
    return tx.findOne(SignInIdentity, { where: { issuer, subject }, lock: { mode: 'pessimistic_read' } });
  }

  /**
   * A person leaves: should they come back, somebody says anew what they may do, and they register their keys anew. Their
   * sessions end with the hold.
   */
  async endRightsOfPerson(tx: EntityManager, by: Actor, personId: string): Promise<void> {
    const theirs = await tx.findBy(SignInIdentity, { personId });
    const ids = theirs.map(({ id }) => id);
    await this.keys.removeAllOf(tx, by, ids);
    await this.roles.endAllOf(tx, by, ids.map(userPrincipal), 'the person leaves');
  }

  /** A person's access is cut: their sessions here end with it. */
  async endSessionsOfPerson(tx: EntityManager, by: Actor, personId: string, caseId: string): Promise<void> {
    const theirs = await tx.find(SignInIdentity, { where: { personId }, lock: { mode: 'pessimistic_write' } });
    await this.sessions.endOfIdentities(
      tx,
      by,
      theirs.map(({ id }) => id),
      'the access of the person was cut',
      caseId,
    );
  }
}
