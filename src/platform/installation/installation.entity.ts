import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** This installation: one row, made by `quartermaster init`. */
@Entity('installation')
@Check('ck_installation_single', 'id = 1')
@Check('ck_installation_environment', `environment IN ('production', 'test')`)
export class Installation {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'pk_installation' })
  id!: number;

  /** Raised when a backup is restored, so that fences and generations from before lose. */
  @Column('integer', { default: 1 })
  epoch!: number;

  /** Of the key that seals this database's secrets; a process that holds another refuses to start. */
  @Column('text', { name: 'key_fingerprint' })
  keyFingerprint!: string;

  @Column('text')
  environment!: 'production' | 'test';

  @Column('boolean', { name: 'revoke_only', default: false })
  revokeOnly!: boolean;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
