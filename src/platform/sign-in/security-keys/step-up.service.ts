import { Injectable } from '@nestjs/common';
import { generateAuthenticationOptions, verifyAuthenticationResponse } from '@simplewebauthn/server';
import { PinoLogger } from 'nestjs-pino';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../../audit/audit.service.js';
import { Config } from '../../config/config.js';
import { inTransaction } from '../../database/transaction.js';
import { Problem } from '../../errors/problem.js';
import type { Actor } from '../actor.js';
import { BrowserSessions } from '../browser-sessions.service.js';
import { SignInNews } from '../sign-in-news.service.js';
import { knownTo, type KeyAnswer, type KeyRequest } from './key-answers.js';
import { CHALLENGE_MINUTES, KeyChallenges } from './key-challenges.service.js';
import type { KeyHolder } from './key-holder.js';
import { keyRefused, type KeyRefusal } from './key-refusals.js';
import { requireRelyingParty } from './relying-party.js';
import type { SecurityKey } from './security-key.entity.js';
import { SecurityKeys } from './security-keys.service.js';

/** Showing anew, with a security key, who is at a browser that signed in a while ago. */
@Injectable()
export class StepUp {
  constructor(
    private readonly config: Config,
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly keys: SecurityKeys,
    private readonly challenges: KeyChallenges,
    private readonly sessions: BrowserSessions,
    private readonly news: SignInNews,
    private readonly log: PinoLogger,
  ) {}

  /** What the browser has to ask one of their keys. @throws Problem `conflict` for who has none */
  async ask({ identityId, sessionId }: KeyHolder): Promise<KeyRequest> {
    const { id: rpID } = requireRelyingParty(this.config.publicUrl);
    const keys = (await this.keys.of(identityId)).filter(({ copiedAt }) => copiedAt === null);
    if (keys.length === 0) {
      throw new Problem('conflict', 'No security key that could be used is registered for you.');
    }
    const allowCredentials = knownTo(keys);
    const timeout = CHALLENGE_MINUTES * 60_000;
    const { challenge } = await generateAuthenticationOptions({ rpID });
    await this.challenges.keep(sessionId, 'step_up', challenge);
    return { challenge, rpId: rpID, timeout, allowCredentials, userVerification: 'required' };
  }

  /**
   * From now on their session counts as fresh, for as long as after a sign-in.
   * @throws Problem `key-refused`, which is on record
   */
  async prove(actor: Actor, holder: KeyHolder, answer: KeyAnswer): Promise<void> {
    const challenge = await this.challenges.take(holder.sessionId, 'step_up');
    const refused = await inTransaction(this.db, (tx) => this.decide(tx, actor, holder, challenge, answer));
    if (refused) throw keyRefused(refused);
  }

  /** A refusal is an outcome, and is committed with its entry. */
  private async decide(
    tx: EntityManager,
    actor: Actor,
    holder: KeyHolder,
    challenge: string | null,
    answer: KeyAnswer,
  ): Promise<KeyRefusal | null> {
    const key = await this.keys.lock(tx, holder.identityId, answer.id);
    const verdict = await this.judge(key, challenge, answer);
    if (!key || 'refused' in verdict) {
      const why = 'refused' in verdict ? verdict.refused : 'not-theirs';
      await this.keys.noteRefusal(tx, actor, holder, why, key?.id);
      return why;
    }
    const { counter } = verdict;
    if (countsBackwards(counter, Number(key.counter))) {
      await tx.query(`UPDATE security_keys SET copied_at = now() WHERE id = $1`, [key.id]);
      await this.keys.noteRefusal(tx, actor, holder, 'copied', key.id);
      await this.news.tell(tx, { what: 'key-copied', keyId: key.id, holder: holder.name });
      return 'copied';
    }
    await tx.query(`UPDATE security_keys SET counter = $2, last_used_at = now() WHERE id = $1`, [key.id, counter]);
    await this.sessions.noteKey(tx, holder.sessionId);
    await this.audit.record(tx, actor, 'security-key.used', {
      subject: { kind: 'security-key', id: key.id },
      facts: { sessionId: holder.sessionId },
    });
    return null;
  }

  /** @returns how often the key says that it has signed, once everything else is right */
  private async judge(
    key: SecurityKey | null,
    challenge: string | null,
    answer: KeyAnswer,
  ): Promise<{ counter: number } | { refused: KeyRefusal }> {
    if (challenge === null) return { refused: 'not-asked' };
    if (!key) return { refused: 'not-theirs' };
    if (key.copiedAt) return { refused: 'copied' };
    const { id: expectedRPID, origin: expectedOrigin } = requireRelyingParty(this.config.publicUrl);
    try {
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response: { ...answer, clientExtensionResults: {} },
        expectedChallenge: challenge,
        expectedOrigin,
        expectedRPID,
        requireUserVerification: true,
        // The library compares counts before it looks at the signature: then anybody could say that a key was copied.
        credential: { id: key.credentialId, publicKey: new Uint8Array(key.publicKey), counter: 0 },
      });
      return verified ? { counter: authenticationInfo.newCounter } : { refused: 'not-shown' };
    } catch (error) {
      this.log.info({ err: error }, 'a security key was not accepted');
      return { refused: 'not-shown' };
    }
  }
}

/** Web Authentication level 3, section 6.1.1: unless the key doesn't count at all, each count is a higher one. */
function countsBackwards(counter: number, last: number): boolean {
  return (counter > 0 || last > 0) && counter <= last;
}
