import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../audit/audit.service.js';
import { queryRows } from '../../database/query-rows.js';
import { inTransaction } from '../../database/transaction.js';
import { Problem } from '../../errors/problem.js';
import { newId } from '../../ids/new-id.js';
import type { Actor } from '../actor.js';
import { BrowserSessions } from '../browser-sessions.service.js';
import { FRESH_MINUTES } from '../fresh-sign-in.js';
import { userPrincipal } from '../principals.js';
import { SignInNews } from '../sign-in-news.service.js';
import type { KeyHolder } from './key-holder.js';
import type { KeyRefusal } from './key-refusals.js';
import { SecurityKey } from './security-key.entity.js';

/** Of one person: one that they carry, one in the safe, and what their devices have of their own. */
const MOST_KEYS = 20;

/** A key with whose it is. */
export interface HeldKey {
  key: SecurityKey;
  holder: string;
}

/** What a registration is about, once the key's answer was checked. */
export type NewKey = Pick<SecurityKey, 'name' | 'credentialId' | 'publicKey' | 'transports'> & { counter: number };

interface RemovedKey {
  id: string;
  identityId: string;
  holder: string;
  name: string;
}

/** Who has which security keys. How they are asked is `KeyRegistration`'s and `StepUp`'s. */
@Injectable()
export class SecurityKeys {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly sessions: BrowserSessions,
    private readonly news: SignInNews,
  ) {}

  /** The oldest first. */
  async of(identityId: string): Promise<SecurityKey[]> {
    return this.db.manager.find(SecurityKey, { where: { identityId }, order: { id: 'ASC' } });
  }

  async all(): Promise<HeldKey[]> {
    const keys = await this.db.manager.find(SecurityKey, { order: { id: 'ASC' } });
    const holders = await queryRows<{ id: string; name: string }>(
      this.db,
      `SELECT id, display_name AS name FROM sign_in_identities WHERE id = ANY($1)`,
      [keys.map(({ identityId }) => identityId)],
    );
    const names = new Map(holders.map(({ id, name }) => [id, name]));
    return keys.map((key) => ({ key, holder: names.get(key.identityId) ?? key.identityId }));
  }

  /** @returns its id @throws Problem `conflict` when it is one too many, somebody's already, or not the first and none was shown */
  async add(
    tx: EntityManager,
    actor: Actor,
    { identityId, sessionId, name: holder }: KeyHolder,
    { name, credentialId, publicKey, counter, transports }: NewKey,
  ): Promise<string> {
    // Until this ends nobody withdraws the identity, ends the session unseen, or adds another key.
    const [session] = await queryRows<{ hasShownKey: boolean }>(
      tx,
      `SELECT (s.key_used_at > now() - make_interval(mins => $2)) IS TRUE AS "hasShownKey"
       FROM browser_sessions s JOIN sign_in_identities i ON i.id = s.identity_id
       WHERE s.id = $1 AND s.ended_at IS NULL AND i.withdrawn_at IS NULL FOR UPDATE OF i`,
      [sessionId, FRESH_MINUTES],
    );
    if (!session) throw new Problem('unauthenticated', 'You were signed out. Sign in again at /sign-in.');
    const known = await tx.countBy(SecurityKey, { identityId });
    // They had none when the guard asked: another one came first, perhaps somebody else's.
    if (known > 0 && !session.hasShownKey) {
      throw new Problem('conflict', 'Another security key was registered for you just now. Show it, and begin again.');
    }
    if (known >= MOST_KEYS) {
      throw new Problem('conflict', `You have ${MOST_KEYS} security keys. Remove one that you don't use.`);
    }
    const [added] = await queryRows<{ id: string }>(
      tx,
      `INSERT INTO security_keys (id, identity_id, name, credential_id, public_key, counter, transports)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (credential_id) DO NOTHING RETURNING id`,
      [newId(), identityId, name, credentialId, publicKey, counter, transports],
    );
    if (!added) throw new Problem('conflict', 'This security key is registered already.');
    await this.audit.record(tx, actor, 'security-key.registered', {
      subject: { kind: 'security-key', id: added.id },
      facts: { identityId },
      personal: { name },
    });
    await this.news.tell(tx, { what: 'key-registered', keyId: added.id, holder });
    return added.id;
  }

  /** For whoever checks an answer in this transaction: a count is compared and raised by one at a time. */
  async lock(tx: EntityManager, identityId: string, credentialId: string): Promise<SecurityKey | null> {
    return tx.findOne(SecurityKey, { where: { identityId, credentialId }, lock: { mode: 'pessimistic_write' } });
  }

  /**
   * Its holder's other sessions end as well: a key is removed when it is lost, and perhaps not alone.
   * @param of whose it has to be; without it, anybody's
   * @param here the session that goes on
   * @throws Problem `not-found`
   */
  async remove(by: Actor, id: string, { of, here }: { of?: string; here: string | null }): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const [removed] = await this.removeWhere(tx, by, `k.id = $1 AND ($2::uuid IS NULL OR k.identity_id = $2)`, [
        id,
        of ?? null,
      ]);
      if (!removed) throw new Problem('not-found', 'There is no such security key, or it was removed before.');
      await this.sessions.endOthersOf(tx, by, removed.identityId, here, 'a security key of theirs was removed');
    });
  }

  /** Their sign-in ends, and what it was shown with: should they be let in again, they register anew. */
  async removeAllOf(tx: EntityManager, by: Actor, identityIds: readonly string[]): Promise<void> {
    await this.removeWhere(tx, by, `k.identity_id = ANY($1)`, [identityIds], 'their sign-in ended');
  }

  /**
   * @param where over `k`; its parameters begin with $1. A constant of this file: never what somebody sent.
   * @param why together with what else it happens; without it, somebody removes this very key
   */
  private async removeWhere(
    tx: EntityManager,
    by: Actor,
    where: string,
    parameters: unknown[],
    why?: string,
  ): Promise<RemovedKey[]> {
    const removed = await queryRows<RemovedKey>(
      tx,
      `DELETE FROM security_keys k USING sign_in_identities i WHERE i.id = k.identity_id AND ${where}
       RETURNING k.id, k.identity_id AS "identityId", i.display_name AS holder, k.name`,
      parameters,
    );
    for (const { id, identityId, holder, name } of removed) {
      await this.audit.record(tx, by, 'security-key.removed', {
        subject: { kind: 'security-key', id },
        facts: { identityId, ...(why !== undefined && { why }) },
        personal: { name },
      });
      const isByOther = why === undefined && by.id !== userPrincipal(identityId);
      await this.news.tell(tx, { what: 'key-removed', keyId: id, holder, removedBy: isByOther ? by.name : null });
    }
    return removed;
  }

  /** What doesn't count is on record: somebody may be trying. */
  async noteRefusal(
    tx: EntityManager,
    actor: Actor,
    { sessionId }: KeyHolder,
    why: KeyRefusal,
    keyId?: string,
  ): Promise<void> {
    await this.audit.record(tx, actor, 'security-key.refused', {
      subject: { kind: 'browser-session', id: sessionId },
      facts: { why, ...(keyId !== undefined && { keyId }) },
    });
  }
}
