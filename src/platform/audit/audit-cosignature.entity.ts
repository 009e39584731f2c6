import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** What a witness signed of a checkpoint (`cosignature.ts`), verified before it came here. */
@Entity('audit_cosignatures')
export class AuditCosignature {
  /** Of the checkpoint. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'pk_audit_cosignatures' })
  @ForeignKey('AuditCheckpoint', { name: 'fk_audit_cosignatures_checkpoint' })
  size!: number;

  /** The name of the witness and its key's hash, as the line has them. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_audit_cosignatures' })
  key!: string;

  /** As it stands below the checkpoint, without its end. */
  @Column('text')
  line!: string;

  /** By the witness's clock. */
  @Column('timestamptz')
  at!: Date;
}
