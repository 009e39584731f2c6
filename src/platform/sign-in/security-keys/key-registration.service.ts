import { Injectable } from '@nestjs/common';
import { generateRegistrationOptions, verifyRegistrationResponse } from '@simplewebauthn/server';
import { decodeAttestationObject, isoBase64URL } from '@simplewebauthn/server/helpers';
import { PinoLogger } from 'nestjs-pino';
import { DataSource } from 'typeorm';
import { Config } from '../../config/config.js';
import { inTransaction } from '../../database/transaction.js';
import type { Actor } from '../actor.js';
import { knownTo, type NewKeyAnswer, type NewKeyRequest } from './key-answers.js';
import { CHALLENGE_MINUTES, KeyChallenges } from './key-challenges.service.js';
import type { KeyHolder } from './key-holder.js';
import { keyRefused } from './key-refusals.js';
import { requireRelyingParty } from './relying-party.js';
import { SecurityKeys, type NewKey } from './security-keys.service.js';

/** EdDSA, ES256 and RS256: what keys sign with. The library would add what Node still calls experimental. */
const ALGORITHMS = [-8, -7, -257];

/** How a new key becomes somebody's. */
@Injectable()
export class KeyRegistration {
  constructor(
    private readonly config: Config,
    private readonly db: DataSource,
    private readonly keys: SecurityKeys,
    private readonly challenges: KeyChallenges,
    private readonly log: PinoLogger,
  ) {}

  /** What the browser has to ask a new key. @throws Problem `conflict` where browsers use none */
  async ask({ sessionId, identityId, name }: KeyHolder): Promise<NewKeyRequest> {
    const { id: rpID } = requireRelyingParty(this.config.publicUrl);
    const excludeCredentials = knownTo(await this.keys.of(identityId));
    const { challenge, rp, user, pubKeyCredParams } = await generateRegistrationOptions({
      rpName: 'Quartermaster',
      rpID,
      userID: new TextEncoder().encode(identityId),
      userName: name,
      userDisplayName: name,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    await this.challenges.keep(sessionId, 'register', challenge);
    return {
      challenge,
      rp: { id: rpID, name: rp.name },
      user,
      pubKeyCredParams: pubKeyCredParams.map(({ alg }) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_MINUTES * 60_000,
      // Which make it is decides nothing here, so nobody is asked for it.
      attestation: 'none',
      excludeCredentials,
      // A key has few places for registrations that it can list by itself, and we always say which ones we know.
      authenticatorSelection: { residentKey: 'discouraged', userVerification: 'required' },
    };
  }

  /**
   * Registers what the browser got of a new key.
   * @returns its id
   * @throws Problem `key-refused` for an answer that doesn't count, `conflict` when it can't be theirs
   */
  async register(actor: Actor, holder: KeyHolder, name: string, answer: NewKeyAnswer): Promise<string> {
    const challenge = await this.challenges.take(holder.sessionId, 'register');
    const key = challenge === null ? null : await this.keyIn(challenge, name, answer);
    if (!key) {
      const why = challenge === null ? 'not-asked' : 'not-shown';
      await this.db.transaction((tx) => this.keys.noteRefusal(tx, actor, holder, why));
      throw keyRefused(why);
    }
    return inTransaction(this.db, (tx) => this.keys.add(tx, actor, holder, key));
  }

  /** Null when it isn't a new key's answer to this challenge, for our address, by somebody whom the key knows. */
  private async keyIn(challenge: string, name: string, answer: NewKeyAnswer): Promise<NewKey | null> {
    const { id: expectedRPID, origin: expectedOrigin } = requireRelyingParty(this.config.publicUrl);
    const { transports, ...response } = answer.response;
    try {
      if (!needsNoCertificate(response.attestationObject)) return null;
      const { registrationInfo } = await verifyRegistrationResponse({
        response: { ...answer, response, clientExtensionResults: {} },
        expectedChallenge: challenge,
        expectedOrigin,
        expectedRPID,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      });
      if (!registrationInfo) return null;
      const { id: credentialId, publicKey, counter } = registrationInfo.credential;
      return { name, credentialId, publicKey: Buffer.from(publicKey), counter, transports };
    } catch (error) {
      this.log.info({ err: error }, 'a security key was not registered');
      return null;
    }
  }
}

/**
 * Nobody asked for an attestation, so browsers leave out what has certificates (Web Authentication level 3, section 5.1.3).
 * Whoever sends some all the same is no browser, and the library would look up whether they were revoked at whatever
 * addresses stand in them: inside our network as well.
 */
function needsNoCertificate(attestationObject: string): boolean {
  const attestation = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject));
  const format = attestation.get('fmt');
  return format === 'none' || (format === 'packed' && attestation.get('attStmt').get('x5c') === undefined);
}
