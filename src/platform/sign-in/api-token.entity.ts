import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A machine's right to call; the token itself is shown once and kept only as its hash. */
@Entity('api_tokens')
@Unique('uq_api_tokens_hash', ['tokenHash'])
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

  /** The person or team that answers for it. */
  @Column('text')
  owner!: string;

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
