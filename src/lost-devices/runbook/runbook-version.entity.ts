import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { Runbook } from './runbook-schema.js';

/** The laptop-lost runbook as it was at a time. Exactly one is active; a loss under way keeps the one it began with. */
@Entity('runbook_versions')
@Unique('uq_runbook_versions_digest', ['digest'])
@Index('ux_runbook_versions_active', ['active'], { unique: true, where: 'active' })
export class RunbookVersion {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_runbook_versions' })
  id!: string;

  /** `sha256:<hex>` of the file's bytes. */
  @Column('text')
  digest!: string;

  /** The file's name, for a reader. */
  @Column('text')
  source!: string;

  @Column('jsonb')
  document!: Runbook;

  @Column('boolean')
  active!: boolean;

  @Column('timestamptz', { name: 'activated_at', default: () => 'now()' })
  activatedAt!: Date;

  @Column('text', { name: 'activated_by' })
  activatedBy!: string;
}
