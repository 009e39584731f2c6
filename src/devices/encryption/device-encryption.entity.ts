import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { EncryptionState } from './encryption-states.js';

/**
 * What is known of a device's disks now: the newest observation that answered, and the newest that didn't. Written by a
 * trigger of `device_observations` (migration `encryption-as-observed`), so that it holds whoever adds to the log.
 */
@Entity('device_encryption')
@Check(
  'ck_device_encryption_state',
  `state IN ('encrypted', 'converting', 'suspended', 'not_encrypted', 'unknown') AND (state = 'unknown') = (observed_at IS NULL)`,
)
@Index('ix_device_encryption_observed_at', ['observedAt'])
export class DeviceEncryption {
  @PrimaryColumn('uuid', { name: 'device_id', primaryKeyConstraintName: 'pk_device_encryption' })
  @ForeignKey('Device', { name: 'fk_device_encryption_device' })
  deviceId!: string;

  @Column('text')
  state!: EncryptionState;

  @Column('uuid', { name: 'observation_id', nullable: true })
  observationId!: string | null;

  /** Null: nobody ever got an answer. */
  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt!: Date | null;

  /** When somebody last looked and could not tell. */
  @Column('timestamptz', { name: 'in_vain_at', nullable: true })
  inVainAt!: Date | null;
}
