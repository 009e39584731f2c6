import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** Somebody read a recovery key. */
@Entity('recovery_key_reveals')
@Index('ix_recovery_key_reveals_key', ['recoveryKeyId'])
@Index('ix_recovery_key_reveals_at', ['revealedAt'])
export class RecoveryKeyReveal {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_recovery_key_reveals' })
  id!: string;

  @Column('uuid', { name: 'recovery_key_id' })
  @ForeignKey('RecoveryKey', { name: 'fk_recovery_key_reveals_key' })
  recoveryKeyId!: string;

  @Column('text')
  reason!: string;

  @Column('text', { name: 'revealed_by' })
  revealedBy!: string;

  /** The actor's id; null where an older version wrote it. */
  @Column('text', { name: 'revealed_by_id', nullable: true })
  revealedById!: string | null;

  /** What another person approved; null when they read it alone, within the limit. */
  @Column('uuid', { name: 'approval_id', nullable: true })
  @ForeignKey('Approval', { name: 'fk_recovery_key_reveals_approval' })
  approvalId!: string | null;

  @Column('timestamptz', { name: 'revealed_at', default: () => 'now()' })
  revealedAt!: Date;
}
