import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

/** A password on its way to its person: sealed until a one-time link shows it, once, and destroyed then. */
@Entity('credential_handovers')
@Unique('uq_credential_handovers_credential', ['credentialId'])
@Unique('uq_credential_handovers_link', ['linkHash'])
@Check('ck_credential_handovers_opened', `opened_at IS NULL OR secret_id IS NULL`)
export class CredentialHandover {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_credential_handovers' })
  id!: string;

  @Column('uuid', { name: 'credential_id' })
  @ForeignKey('Credential', { name: 'fk_credential_handovers_credential' })
  credentialId!: string;

  @Column('uuid', { name: 'secret_id', nullable: true })
  @ForeignKey('Secret', { name: 'fk_credential_handovers_secret' })
  secretId!: string | null;

  /** SHA-256 of the token in the newest link; null: no link was made yet. */
  @Column('bytea', { name: 'link_hash', nullable: true })
  linkHash!: Buffer | null;

  @Column('timestamptz', { name: 'link_expires_at', nullable: true })
  linkExpiresAt!: Date | null;

  @Column('timestamptz', { name: 'opened_at', nullable: true })
  openedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
