import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** A file that somebody left as proof of a step; known by its hash. What is in it is sealed. */
@Entity('step_evidence')
@Check('ck_step_evidence_sha256', `sha256 ~ '^[0-9a-f]{64}$'`)
@Check('ck_step_evidence_bytes', `bytes > 0`)
export class StepEvidence {
  @PrimaryColumn('uuid', { name: 'step_id', primaryKeyConstraintName: 'pk_step_evidence' })
  @ForeignKey('Step', { name: 'fk_step_evidence_step' })
  stepId!: string;

  /** Of the file's bytes, in hex. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_step_evidence' })
  sha256!: string;

  @Column('text', { name: 'file_name' })
  fileName!: string;

  @Column('integer')
  bytes!: number;

  @Column('uuid', { name: 'secret_id' })
  @ForeignKey('Secret', { name: 'fk_step_evidence_secret' })
  secretId!: string;

  @Column('text', { name: 'added_by' })
  addedBy!: string;

  @Column('timestamptz', { name: 'added_at', default: () => 'now()' })
  addedAt!: Date;
}
