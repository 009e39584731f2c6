import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** A machine's right to call; the token itself is shown once and kept only as its hash. */
@Entity('api_tokens')
@Unique('uq_api_tokens_hash', ['tokenHash'])
@Check('ck_api_tokens_one_owner', `owner_person_id IS NULL OR service_principal_id IS NULL`)
@Index('ix_api_tokens_owner', ['ownerPersonId'], { where: 'revoked_at IS NULL' })
export class ApiToken {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_api_tokens' })
  id!: string;

  @Column('text')
  name!: string;

  /** SHA-256 of the whole token: 256 random bits need no slow hash. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  @Column('text', { array: true })
  scopes!: string[];

  /** The person or service that answers for it, in words. Of older tokens these are all there is. */
  @Column('text')
  owner!: string;

  /** It ends when they leave. */
  @Column('uuid', { name: 'owner_person_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_api_tokens_owner' })
  ownerPersonId!: string | null;

  /** It goes on when the service's owner leaves. */
  @Column('uuid', { name: 'service_principal_id', nullable: true })
  @ForeignKey('ServicePrincipal', { name: 'fk_api_tokens_service' })
  servicePrincipalId!: string | null;

  /** The id of the user who made it for a person: it may do what they may still do, and nothing else. */
  @Column('text', { name: 'bound_to', nullable: true })
  boundTo!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt!: Date | null;

  /** To the minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
