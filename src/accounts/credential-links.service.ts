import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { Config } from '../platform/config/config.js';
import { SecretVault } from '../platform/crypto/secret-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../platform/sign-in/secret-token.js';
import { AccountsService } from './accounts.service.js';
import { CredentialHandover } from './credential-handover.entity.js';

export interface CredentialLink {
  url: string;
  expiresAt: Date;
}

export interface HandedOver {
  toolName: string;
  username: string;
  password: string;
}

interface OpenHandover {
  id: string;
  secret_id: string;
  account_id: string;
  tool_name: string;
  username: string;
}

const GONE = 'This link was used, replaced or is too old. Ask whoever gave it to you for a new one.';

/** A new password reaches its person by a link that works once, for 24 hours: never by mail, log or API. */
@Injectable()
export class CredentialLinks {
  constructor(
    private readonly vault: SecretVault,
    private readonly audit: AuditService,
    private readonly accounts: AccountsService,
    private readonly config: Config,
  ) {}

  /**
   * A link to the account's newest password; the one before stops working.
   * @throws Problem `conflict` when there is none that works at the tool and wasn't handed over yet
   */
  async create(tx: EntityManager, actor: Actor, accountId: string): Promise<CredentialLink> {
    await requireWithin(tx, actor, 'account', accountId);
    const account = await this.accounts.lock(tx, accountId);
    const [handover] = await queryRows<{ id: string }>(
      tx,
      `SELECT h.id FROM credential_handovers h JOIN credentials c ON c.id = h.credential_id
       WHERE c.account_id = $1 AND c.state = 'live' AND h.secret_id IS NOT NULL
       ORDER BY c.issued_at DESC, c.id DESC LIMIT 1`,
      [accountId],
    );
    if (!handover) {
      throw new Problem(
        'conflict',
        'There is no password to hand over: it isn’t confirmed at the tool yet, or was handed over. Reset the credentials for a new one.',
      );
    }
    const token = newSecretToken();
    await tx.update(
      CredentialHandover,
      { id: handover.id },
      { linkHash: hashToken(token), linkExpiresAt: () => `now() + interval '24 hours'` },
    );
    const { linkExpiresAt } = await tx.findOneByOrFail(CredentialHandover, { id: handover.id });
    if (!linkExpiresAt) throw new Error('the link has no end');
    await this.audit.record(tx, actor, 'credential-link.created', {
      subject: { kind: 'account', id: account.id },
      facts: { handoverId: handover.id, expiresAt: linkExpiresAt.toISOString() },
    });
    return { url: `${this.config.publicUrl}/credential-links/${token}`, expiresAt: linkExpiresAt };
  }

  /** What the link is for, without using it up. @throws Problem `gone` */
  async look(tx: EntityManager, token: string): Promise<{ toolName: string }> {
    return { toolName: (await this.standing(tx, token, '')).tool_name };
  }

  /** Shows the password, once; the secret is destroyed in the same transaction. @throws Problem `gone` */
  async open(tx: EntityManager, token: string): Promise<HandedOver> {
    const handover = await this.standing(tx, token, 'FOR UPDATE OF h, c');
    const password = await this.vault.open(tx, handover.secret_id);
    await tx.update(CredentialHandover, { id: handover.id }, { openedAt: () => 'now()', secretId: null });
    await this.vault.destroy(tx, handover.secret_id);
    await this.audit.record(tx, holderOf(handover.id), 'credential-link.opened', {
      subject: { kind: 'account', id: handover.account_id },
      facts: { handoverId: handover.id },
    });
    return { toolName: handover.tool_name, username: handover.username, password };
  }

  private async standing(tx: EntityManager, token: string, lock: '' | 'FOR UPDATE OF h, c'): Promise<OpenHandover> {
    const [handover] = await queryRows<OpenHandover>(
      tx,
      `SELECT h.id, h.secret_id, a.id AS account_id, t.name AS tool_name, a.username
       FROM credential_handovers h
       JOIN credentials c ON c.id = h.credential_id
       JOIN accounts a ON a.id = c.account_id
       JOIN tools t ON t.id = a.tool_id
       WHERE h.link_hash = $1 AND h.link_expires_at > now() AND h.secret_id IS NOT NULL AND c.state = 'live'
       ${lock}`,
      [hashToken(token)],
    );
    if (!handover) throw new Problem('gone', GONE);
    return handover;
  }
}

/** Nobody is signed in on this page: who opens it is known only as the holder of the link. */
function holderOf(handoverId: string): Actor {
  return { kind: 'system', id: `credential-link:${handoverId}`, name: 'Holder of the one-time link', scopes: [] };
}
