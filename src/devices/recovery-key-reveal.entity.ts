import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** Somebody read a recovery key. */
@Entity('recovery_key_reveals')
@Index('ix_recovery_key_reveals_key', ['recoveryKeyId'])
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

  @Column('timestamptz', { name: 'revealed_at', default: () => 'now()' })
  revealedAt!: Date;
}
