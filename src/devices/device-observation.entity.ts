import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const OBSERVATION_KINDS = ['disk_encryption', 'image_version', 'os_version', 'last_online'] as const;
export type ObservationKind = (typeof OBSERVATION_KINDS)[number];

export const DISK_ENCRYPTION_VALUES = ['encrypted', 'encrypting', 'suspended', 'not_encrypted', 'unknown'] as const;

/** A fact about a device, with its source and its time. Never overwritten: the database refuses it too. */
@Entity('device_observations')
@Check(
  'ck_device_observations_value',
  `kind <> 'disk_encryption' OR value IN ('encrypted', 'encrypting', 'suspended', 'not_encrypted', 'unknown')`,
)
@Index('ix_device_observations_newest', ['deviceId', 'kind', 'observedAt'])
export class DeviceObservation {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_observations' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_observations_device' })
  deviceId!: string;

  @Column('text')
  kind!: ObservationKind;

  @Column('text')
  value!: string;

  @Column('jsonb', { default: {} })
  details!: Record<string, unknown>;

  /** Who or what saw it: `imaging`, `agent`, a person's name. */
  @Column('text')
  source!: string;

  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  @Column('timestamptz', { name: 'recorded_at', default: () => 'now()' })
  recordedAt!: Date;
}
