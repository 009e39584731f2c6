import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { KeyFormat } from './key-format.js';

export const PROTECTED_BY = ['filevault', 'bitlocker', 'luks', 'other'] as const;

/** A key that opens a device's disk when its owner can't. Its predecessors stay: a disk may not have heard of the newest. */
@Entity('recovery_keys')
@Index('ix_recovery_keys_device', ['deviceId', 'id'])
@Check('ck_recovery_keys_format', `format IN ('right', 'wrong')`)
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

  /** Whether it can be one of its kind; null: nobody looked, or nothing is known of the kind. */
  @Column('text', { nullable: true })
  format!: KeyFormat | null;

  /** When its device said that it unlocks, as the device tells the time; null: it never did. */
  @Column('timestamptz', { name: 'proved_at', nullable: true })
  provedAt!: Date | null;
}
