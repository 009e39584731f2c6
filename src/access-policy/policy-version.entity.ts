import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import type { AccessPolicy } from './access-policy-schema.js';

/** The access policy as it was at a time. Exactly one is active, for all processes together. */
@Entity('policy_versions')
@Unique('uq_policy_versions_digest', ['digest'])
@Index('ux_policy_versions_active', ['active'], { unique: true, where: 'active' })
export class PolicyVersion {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_policy_versions' })
  id!: string;

  /** `sha256:<hex>` of the file's bytes. */
  @Column('text')
  digest!: string;

  /** The file's name, for a reader. */
  @Column('text')
  source!: string;

  @Column('jsonb')
  document!: AccessPolicy;

  @Column('boolean')
  active!: boolean;

  @Column('timestamptz', { name: 'activated_at', default: () => 'now()' })
  activatedAt!: Date;

  @Column('text', { name: 'activated_by' })
  activatedBy!: string;
}
