import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../audit/audit.service.js';
import { SecretVault } from '../crypto/secret-vault.service.js';
import { queryRows } from '../database/query-rows.js';
import { newId } from '../ids/new-id.js';
import type { Actor, Origin } from './actor.js';
import { userPrincipal } from './principals.js';
import { knownScopes } from './scopes.js';
import { hashToken, newSecretToken } from './secret-token.js';

/** However busy: after that, people sign in anew. */
export const SESSION_HOURS = 12;
/** Without a request. */
export const IDLE_MINUTES = 30;

/** Whom a one-time link signs in. */
export interface LinkHolder {
  actorName: string;
  scopes: string[];
}

/** What of an identity makes it an actor. */
interface KnownIdentity {
  id: string;
  displayName: string;
  personId: string | null;
}

/** Who came by the OpenID provider, and what is known of that. */
export interface ProviderSignIn {
  identity: KnownIdentity;
  /** When they proved who they are, by the provider's word. */
  authenticatedAt: Date | null;
  providerSession: string | null;
  /** Kept, sealed, when there is something at the provider to sign out of. */
  idToken: string | null;
}

/** A browser that is signed in now. */
export interface SignedInBrowser {
  sessionId: string;
  actor: Actor;
  /** Who came by the provider; null for a link. */
  identityId: string | null;
  hasSecurityKey: boolean;
  /**
   * Since they proved who they are. Where they have a security key it is the only proof; null when they didn't use it in
   * this session, or when the provider never said.
   */
  secondsSinceProof: number | null;
}

/** What was needed to end a session at the provider as well. */
export interface EndedSession {
  idToken: string | null;
}

interface StartedSession extends Partial<Omit<ProviderSignIn, 'identity'>> {
  name: string;
  scopes: string[];
  identityId: string | null;
}

interface SessionRow {
  id: string;
  name: string;
  scopes: string[];
  identity_id: string | null;
  person_id: string | null;
  has_key: boolean;
  seconds_since_proof: number | null;
  use_is_old: boolean;
}

/** Signed-in browsers, in the store, so that each server knows of an end at once. All times are the database's. */
@Injectable()
export class BrowserSessions {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly vault: SecretVault,
  ) {}

  /** @returns the token for the cookie: a new one for each sign-in. */
  async startByLink(
    tx: EntityManager,
    { actorName, scopes }: LinkHolder,
    formerId: string | null,
    from: Origin,
  ): Promise<string> {
    const actor = { ...actorOfLink(actorName, scopes), from };
    return this.start(tx, actor, { name: actorName, scopes, identityId: null }, formerId);
  }

  /** @returns the token for the cookie */
  async startByProvider(
    tx: EntityManager,
    signIn: ProviderSignIn,
    formerId: string | null,
    from: Origin,
  ): Promise<string> {
    const { id: identityId, displayName: name } = signIn.identity;
    const actor = { ...actorOfIdentity(signIn.identity), from };
    return this.start(tx, actor, { name, scopes: [], identityId, ...signIn }, formerId);
  }

  /** @param formerId the browser's session until now, which ends */
  private async start(
    tx: EntityManager,
    actor: Actor,
    started: StartedSession,
    formerId: string | null,
  ): Promise<string> {
    if (formerId !== null) await this.end(tx, actor, formerId, 'a newer sign-in took its place');
    const id = newId();
    const token = newSecretToken();
    const { name, scopes, identityId, authenticatedAt = null, providerSession = null, idToken = null } = started;
    await this.forgetIdTokens(tx);
    // A link proves who somebody is when it is used. A provider's clock may run ahead; nobody proved anything in the future.
    await tx.query(
      `INSERT INTO browser_sessions
         (id, token_hash, actor_name, scopes, expires_at, identity_id, authenticated_at, provider_session, id_token_secret_id)
       VALUES ($1, $2, $3, $4, now() + make_interval(hours => $5), $6,
         CASE WHEN $6::uuid IS NULL THEN now() WHEN $7::timestamptz IS NOT NULL THEN least($7::timestamptz, now()) END, $8, $9)`,
      [
        id,
        hashToken(token),
        name,
        scopes,
        SESSION_HOURS,
        identityId,
        authenticatedAt,
        providerSession,
        idToken === null ? null : await this.vault.seal(tx, 'id-token', idToken),
      ],
    );
    await this.audit.record(tx, actor, 'browser-session.started', {
      subject: { kind: 'browser-session', id },
      facts: { by: identityId === null ? 'link' : 'provider' },
    });
    return token;
  }

  /**
   * Who calls with this cookie, or null when the session ended, is past its time, or was idle for too long.
   * @param isUse whether somebody is there; what a page asks by itself keeps nobody signed in
   */
  async find(token: string, isUse = true): Promise<SignedInBrowser | null> {
    const [row] = await queryRows<SessionRow>(
      this.db,
      `SELECT s.id, coalesce(i.display_name, s.actor_name) AS name, s.scopes, s.identity_id, i.person_id,
         k.has_key,
         extract(epoch FROM now() - CASE WHEN k.has_key THEN s.key_used_at ELSE s.authenticated_at END)::float8
           AS seconds_since_proof,
         s.last_seen_at < now() - interval '1 minute' AS use_is_old
       FROM browser_sessions s LEFT JOIN sign_in_identities i ON i.id = s.identity_id
       CROSS JOIN LATERAL (
         SELECT EXISTS (SELECT FROM security_keys WHERE identity_id = s.identity_id) AS has_key) k
       WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > now()
         AND s.last_seen_at > now() - make_interval(mins => $2) AND i.withdrawn_at IS NULL`,
      [hashToken(token), IDLE_MINUTES],
    );
    if (!row) return null;
    if (isUse && row.use_is_old) await this.noteUse(row.id);
    const actor =
      row.identity_id === null
        ? actorOfLink(row.name, row.scopes)
        : actorOfIdentity({ id: row.identity_id, displayName: row.name, personId: row.person_id });
    return {
      sessionId: row.id,
      actor,
      identityId: row.identity_id,
      hasSecurityKey: row.has_key,
      secondsSinceProof: row.seconds_since_proof,
    };
  }

  /** At most one write a minute, however many requests come at once; one that ended meanwhile stays ended. */
  private async noteUse(id: string): Promise<void> {
    await this.db.query(
      `UPDATE browser_sessions SET last_seen_at = now()
       WHERE id = $1 AND last_seen_at < now() - interval '1 minute' AND ended_at IS NULL`,
      [id],
    );
  }

  /** @returns null when it had ended before */
  async end(tx: EntityManager, by: Actor, sessionId: string, why: string): Promise<EndedSession | null> {
    const [ended] = await this.endWhere(tx, by, why, `s.id = $1`, [sessionId]);
    return ended ?? null;
  }

  async endOfIdentities(
    tx: EntityManager,
    by: Actor,
    identityIds: readonly string[],
    why: string,
    caseId?: string,
  ): Promise<void> {
    if (identityIds.length === 0) return;
    await this.endWhere(tx, by, why, `s.identity_id = ANY($1)`, [identityIds], caseId);
  }

  /** @param here the one that goes on, where one of theirs does */
  async endOthersOf(tx: EntityManager, by: Actor, identityId: string, here: string | null, why: string): Promise<void> {
    await this.endWhere(tx, by, why, `s.identity_id = $1 AND s.id IS DISTINCT FROM $2::uuid`, [identityId, here]);
  }

  /** They showed just now, with a security key, that it is them. One that ended meanwhile stays ended. */
  async noteKey(tx: EntityManager, sessionId: string): Promise<void> {
    await tx.query(`UPDATE browser_sessions SET key_used_at = now() WHERE id = $1 AND ended_at IS NULL`, [sessionId]);
  }

  /** What a logout token names: a session at the provider, or all sessions of a subject; both have to fit where both are named. */
  async endAtProvider(
    tx: EntityManager,
    by: Actor,
    { issuer, subject, providerSession }: { issuer: string; subject: string | null; providerSession: string | null },
  ): Promise<void> {
    await this.endWhere(
      tx,
      by,
      'signed out at the provider',
      `($2::text IS NULL OR s.provider_session = $2) AND s.identity_id IN (
         SELECT id FROM sign_in_identities WHERE issuer = $1 AND ($3::text IS NULL OR subject = $3))`,
      [issuer, providerSession, subject],
    );
  }

  /** @param where over `s`; its parameters begin with $1. A constant of this file: never what somebody sent. */
  private async endWhere(
    tx: EntityManager,
    by: Actor,
    why: string,
    where: string,
    parameters: unknown[],
    caseId?: string,
  ): Promise<EndedSession[]> {
    const rows = await queryRows<{ id: string; id_token_secret_id: string | null }>(
      tx,
      `UPDATE browser_sessions s SET ended_at = now() WHERE s.ended_at IS NULL AND ${where}
       RETURNING s.id, s.id_token_secret_id`,
      parameters,
    );
    const ended: EndedSession[] = [];
    for (const { id, id_token_secret_id: secretId } of rows) {
      const idToken = secretId === null ? null : await this.vault.open(tx, secretId);
      if (secretId !== null) await this.vault.destroy(tx, secretId);
      await this.audit.record(tx, by, 'browser-session.ended', {
        subject: { kind: 'browser-session', id },
        facts: { why },
        ...(caseId !== undefined && { caseId }),
      });
      ended.push({ idToken });
    }
    return ended;
  }

  /** Of sessions that ran out by themselves: nobody signs out of them any more. */
  private async forgetIdTokens(tx: EntityManager): Promise<void> {
    const over = await queryRows<{ secret: string }>(
      tx,
      `SELECT id_token_secret_id AS secret FROM browser_sessions
       WHERE id_token_secret_id IS NOT NULL AND (expires_at < now() OR last_seen_at < now() - make_interval(mins => $1))`,
      [IDLE_MINUTES],
    );
    for (const { secret } of over) await this.vault.destroy(tx, secret);
  }
}

function actorOfLink(name: string, scopes: readonly string[]): Actor {
  return { kind: 'admin', id: `admin:${name}`, name, scopes: knownScopes(scopes) };
}

/** By themselves they may do nothing: the guard asks which roles they hold, at each request. */
function actorOfIdentity({ id, displayName: name, personId }: KnownIdentity): Actor {
  return { kind: 'admin', id: userPrincipal(id), name, scopes: [], ...(personId !== null && { personId }) };
}
