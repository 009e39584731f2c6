import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/** Something that was done. Never changed or deleted; only the sealer gives it its place in the log, once. */
@Entity('audit_entries')
@Unique('uq_audit_entries_leaf', ['leafIndex'])
@Index('ix_audit_entries_case', ['caseId'])
@Index('ix_audit_entries_subject', ['subjectId'])
@Index('ix_audit_entries_unsealed', ['at', 'id'], { where: 'leaf_index IS NULL' })
export class AuditEntry {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_audit_entries' })
  id!: string;

  @Column('timestamptz', { default: () => 'now()' })
  at!: Date;

  @Column('text')
  action!: string;

  @Column('text', { name: 'actor_kind' })
  actorKind!: string;

  @Column('text', { name: 'actor_id' })
  actorId!: string;

  @Column('text', { name: 'subject_kind', nullable: true })
  subjectKind!: string | null;

  @Column('text', { name: 'subject_id', nullable: true })
  subjectId!: string | null;

  @Column('uuid', { name: 'case_id', nullable: true })
  caseId!: string | null;

  @Column('uuid', { name: 'step_id', nullable: true })
  stepId!: string | null;

  @Column('jsonb', { default: {} })
  facts!: Record<string, unknown>;

  /** From where, with which approval, before and after (`leaf.ts`); null for what the service does by itself. */
  @Column('jsonb', { nullable: true })
  context!: Record<string, unknown> | null;

  /** By name of the personal field: hex of SHA-256 over its salt and value. */
  @Column('jsonb', { default: {} })
  commitments!: Record<string, string>;

  /** Its place in the Merkle tree; null until the sealer has come by. */
  @Column('bigint', { name: 'leaf_index', nullable: true })
  leafIndex!: number | null;

  @Column('bytea', { name: 'leaf_hash', nullable: true })
  leafHash!: Buffer | null;

  /** Which form of a leaf was sealed; null is 1. */
  @Column('smallint', { name: 'leaf_version', nullable: true })
  leafVersion!: number | null;
}
