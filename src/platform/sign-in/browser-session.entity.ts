import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** A signed-in browser; the cookie's token is kept only as its hash. */
@Entity('browser_sessions')
@Unique('uq_browser_sessions_hash', ['tokenHash'])
@Index('ix_browser_sessions_identity', ['identityId'])
export class BrowserSession {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_browser_sessions' })
  id!: string;

  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  @Column('text', { name: 'actor_name' })
  actorName!: string;

  /** Of a session that a link started; whoever came by the provider has none, and may do what their roles allow. */
  @Column('text', { array: true })
  scopes!: string[];

  /** Who came by the provider; null for a link. */
  @Column('uuid', { name: 'identity_id', nullable: true })
  @ForeignKey('SignInIdentity', { name: 'fk_browser_sessions_identity' })
  identityId!: string | null;

  /** When they last proved who they are, never later than the session; null: the provider didn't say. */
  @Column('timestamptz', { name: 'authenticated_at', nullable: true, default: () => 'now()' })
  authenticatedAt!: Date | null;

  /** When they last showed with a security key that it is them; where they have one, nothing else counts as fresh. */
  @Column('timestamptz', { name: 'key_used_at', nullable: true })
  keyUsedAt!: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_seen_at', default: () => 'now()' })
  lastSeenAt!: Date;

  /** The provider's own id of the session at its side (`sid`). */
  @Column('text', { name: 'provider_session', nullable: true })
  providerSession!: string | null;

  /** The sealed ID token, for signing out at the provider as well; destroyed with the session. */
  @Column('uuid', { name: 'id_token_secret_id', nullable: true })
  @ForeignKey('Secret', { name: 'fk_browser_sessions_id_token', onDelete: 'SET NULL' })
  idTokenSecretId!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
