import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The one log of this installation: how far it is sealed, and with which key. */
@Entity('audit_log')
@Check('ck_audit_log_single', 'id = 1')
@Check('ck_audit_log_key', 'num_nulls(key_name, public_key, secret_id) IN (0, 3)')
export class AuditLog {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'pk_audit_log' })
  id!: number;

  @Column('bigint', { default: 0 })
  size!: number;

  /** The Merkle tree's frontier: 32 bytes for each full subtree. */
  @Column('bytea')
  frontier!: Buffer;

  /** The place of the first entry that is kept: those before were dropped (`drop-entries.ts`). */
  @Column('bigint', { name: 'kept_from', default: 0 })
  keptFrom!: number;

  /** The tree's frontier of those that were dropped. */
  @Column('bytea', { name: 'kept_frontier', default: () => String.raw`'\x'` })
  keptFrontier!: Buffer;

  /** The log's name, which is its key's as well; the three are null until `quartermaster init` has made a key. */
  @Column('text', { name: 'key_name', nullable: true })
  keyName!: string | null;

  @Column('bytea', { name: 'public_key', nullable: true })
  publicKey!: Buffer | null;

  @Column('uuid', { name: 'secret_id', nullable: true })
  secretId!: string | null;
}
