import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A signed statement of how large the log was and what was in it. Never changed or deleted. */
@Entity('audit_checkpoints')
export class AuditCheckpoint {
  /** How many entries it speaks for. */
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'pk_audit_checkpoints' })
  size!: number;

  /** A C2SP signed note: see `checkpoint.ts`. */
  @Column('text')
  note!: string;

  @Column('timestamptz', { name: 'sealed_at', default: () => 'now()' })
  sealedAt!: Date;
}
