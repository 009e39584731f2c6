import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * A security key or passkey that somebody registered here, to show that it is them (Web Authentication level 3). What is
 * kept of it is no secret: its own half never leaves it.
 */
@Entity('security_keys')
@Unique('uq_security_keys_credential', ['credentialId'])
@Index('ix_security_keys_identity', ['identityId'])
export class SecurityKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_security_keys' })
  id!: string;

  @Column('uuid', { name: 'identity_id' })
  @ForeignKey('SignInIdentity', { name: 'fk_security_keys_identity' })
  identityId!: string;

  /** What its holder calls it. */
  @Column('text')
  name!: string;

  /** What the key itself calls this registration, in base64url. */
  @Column('text', { name: 'credential_id' })
  credentialId!: string;

  /** As COSE has it (RFC 9052, section 7). */
  @Column('bytea', { name: 'public_key' })
  publicKey!: Buffer;

  /** How often it has signed, by its own count; always 0 of a key that doesn't count, as of one that a phone syncs. */
  @Column('bigint')
  counter!: string;

  /** How a browser gets to it, as it was said at the registration: `usb`, `nfc`, `internal` … */
  @Column('text', { array: true })
  transports!: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  /** When it counted backwards, so that there are two of it: from then on neither is taken. */
  @Column('timestamptz', { name: 'copied_at', nullable: true })
  copiedAt!: Date | null;
}
