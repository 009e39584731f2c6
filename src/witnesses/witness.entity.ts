import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A service, elsewhere and of somebody else's, that cosigns the audit log's checkpoints (c2sp.org/tlog-witness). */
@Entity('audit_witnesses')
@Check('ck_audit_witnesses_failing', '(failing_since IS NULL) = (problem IS NULL)')
@Index('ux_audit_witnesses_name', ['name'], { unique: true, where: 'removed_at IS NULL' })
export class Witness {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_audit_witnesses' })
  id!: string;

  /** Of its key. */
  @Column('text')
  name!: string;

  /** The 32 bytes of its Ed25519 key. */
  @Column('bytea', { name: 'public_key' })
  publicKey!: Buffer;

  /** Its submission prefix. */
  @Column('text')
  url!: string;

  @Column('boolean', { name: 'allow_private_addresses' })
  allowPrivateAddresses!: boolean;

  /** Of the newest checkpoint that it cosigned. */
  @Column('bigint', { default: 0 })
  size!: number;

  /** When it did, by its own clock. */
  @Column('timestamptz', { name: 'cosigned_at', nullable: true })
  cosignedAt!: Date | null;

  /** Not asked before, by no process: a lease while it is asked, a pause afterwards. */
  @Column('timestamptz', { name: 'ask_after', default: () => 'now()' })
  askAfter!: Date;

  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;

  @Column('text', { nullable: true })
  problem!: string | null;

  @Column('timestamptz', { name: 'added_at', default: () => 'now()' })
  addedAt!: Date;

  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt!: Date | null;
}
