import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const CREDENTIAL_KINDS = ['password', 'key', 'certificate', 'token'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** `pending`: made here, not yet known to work at the tool. */
export const CREDENTIAL_STATES = ['pending', 'live', 'revoked', 'unknown'] as const;
export type CredentialState = (typeof CREDENTIAL_STATES)[number];

/** What signs in to an account, perhaps from one device only. The secret itself is never here. */
@Entity('credentials')
@Check('ck_credentials_kind', `kind IN ('password', 'key', 'certificate', 'token')`)
@Check('ck_credentials_state', `state IN ('pending', 'live', 'revoked', 'unknown')`)
@Index('ix_credentials_account', ['accountId'])
export class Credential {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_credentials' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  @ForeignKey('Account', { name: 'fk_credentials_account' })
  accountId!: string;

  @Column('uuid', { name: 'device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_credentials_device' })
  deviceId!: string | null;

  @Column('text')
  kind!: CredentialKind;

  @Column('text', { name: 'external_id', nullable: true })
  externalId!: string | null;

  @Column('text')
  state!: CredentialState;

  @Column('timestamptz', { name: 'issued_at' })
  issuedAt!: Date;

  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt!: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
