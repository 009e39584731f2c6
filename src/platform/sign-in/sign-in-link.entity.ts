import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A link that signs somebody in, once, within minutes. */
@Entity('sign_in_links')
@Unique('uq_sign_in_links_hash', ['tokenHash'])
export class SignInLink {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sign_in_links' })
  id!: string;

  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  @Column('text', { name: 'actor_name' })
  actorName!: string;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
