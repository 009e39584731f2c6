import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../audit/audit.service.js';
import { inTransaction } from '../../database/transaction.js';
import { SYSTEM, type Origin } from '../actor.js';
import { BrowserSessions } from '../browser-sessions.service.js';
import { SignInBars } from '../sign-in-bars.service.js';
import { SignInIdentities } from '../sign-in-identities.service.js';
import { UsedOnce } from '../used-once.service.js';
import type { ProviderAnswer } from './oidc-strategy.js';
import { ATTEMPT_MINUTES } from './sign-in-attempts.service.js';

export type SignInDecision =
  { kind: 'signed-in'; token: string; name: string } | { kind: 'unknown' } | { kind: 'barred'; reason: string };

/** Decides whether whoever the provider vouches for is let in. */
@Injectable()
export class OidcSignIn {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly identities: SignInIdentities,
    private readonly bars: SignInBars,
    private readonly sessions: BrowserSessions,
    private readonly usedOnce: UsedOnce,
  ) {}

  /** An answer of the provider is good once, on whichever server it arrives. */
  async isFirst(state: string): Promise<boolean> {
    return this.db.transaction((tx) => this.usedOnce.use(tx, `sign-in:${state}`, ATTEMPT_MINUTES));
  }

  /** @param formerSessionId the session that this sign-in takes the place of */
  async decide(answer: ProviderAnswer, formerSessionId: string | null, from: Origin): Promise<SignInDecision> {
    return inTransaction(this.db, async (tx) => {
      const identity = await this.identities.find(tx, answer.issuer, answer.subject);
      if (!identity || identity.withdrawnAt) {
        await this.noteRefusal(tx, answer, identity ? 'withdrawn' : 'unknown', from);
        return { kind: 'unknown' };
      }
      const reason = identity.personId === null ? null : await this.bars.against(tx, identity.personId);
      if (reason !== null) {
        await this.noteRefusal(tx, answer, 'barred', from);
        return { kind: 'barred', reason };
      }
      const { authenticatedAt, providerSession, idToken } = answer;
      const signIn = { identity, authenticatedAt, providerSession, idToken };
      const token = await this.sessions.startByProvider(tx, signIn, formerSessionId, from);
      return { kind: 'signed-in', token, name: identity.displayName };
    });
  }

  private async noteRefusal(
    tx: EntityManager,
    { issuer, subject }: ProviderAnswer,
    why: string,
    from: Origin,
  ): Promise<void> {
    const actor = { ...SYSTEM, from };
    await this.audit.record(tx, actor, 'sign-in.refused', { facts: { issuer, why }, personal: { subject } });
  }
}
