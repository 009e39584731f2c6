import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const PROTECTED_BY = ['filevault', 'bitlocker', 'luks', 'other'] as const;

/** A key that opens a device's disk when its owner can't. Its predecessors stay: a disk may not have heard of the newest. */
@Entity('recovery_keys')
@Index('ix_recovery_keys_device', ['deviceId', 'id'])
export class RecoveryKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_recovery_keys' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_recovery_keys_device' })
  deviceId!: string;

  @Column('text')
  protects!: (typeof PROTECTED_BY)[number];

  /** On the recovery ring: what seals it can't open it. */
  @Column('uuid', { name: 'secret_id' })
  @ForeignKey('Secret', { name: 'fk_recovery_keys_secret' })
  secretId!: string;

  /** What it came from: a device manager, an imaging bench, a person. */
  @Column('text')
  source!: string;

  @Column('text', { name: 'kept_by' })
  keptBy!: string;

  @Column('timestamptz', { name: 'kept_at', default: () => 'now()' })
  keptAt!: Date;
}
