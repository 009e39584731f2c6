import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { ENCRYPTION_STATES } from './encryption/encryption-states.js';
import type { JudgedVolume } from './encryption/judge-report.js';

export const OBSERVATION_KINDS = ['disk_encryption', 'image_version', 'os_version', 'last_online'] as const;
export type ObservationKind = (typeof OBSERVATION_KINDS)[number];

/** `encrypting` is how earlier versions said `converting`; it stands in old rows, and callers may say it still. */
export const DISK_ENCRYPTION_VALUES = [...ENCRYPTION_STATES, 'encrypting'] as const;

/** The source of what agents tell by their own keys. Device managers tell under the keys of their tools. */
export const OSQUERY = 'osquery';

/** A fact about a device, with its source and its time. Never overwritten: the database refuses it too. */
@Entity('device_observations')
@Check(
  'ck_device_observations_value',
  `kind <> 'disk_encryption' OR value IN ('encrypted', 'converting', 'suspended', 'not_encrypted', 'unknown', 'encrypting')`,
)
@Index('ix_device_observations_newest', ['deviceId', 'kind', 'observedAt'])
@Index('ix_device_observations_encryption', ['deviceId', 'observedAt', 'id'], {
  where: `kind = 'disk_encryption' AND value <> 'unknown'`,
})
@Index('ux_device_observations_told', ['deviceId', 'kind', 'source', 'toldAt'], {
  unique: true,
  where: 'told_at IS NOT NULL',
})
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

  /** The program that looked, where it is known: `osquery`. */
  @Column('text', { nullable: true })
  agent!: string | null;

  @Column('text', { name: 'agent_version', nullable: true })
  agentVersion!: string | null;

  /** Why disk encryption is unknown. */
  @Column('text', { nullable: true })
  why!: string | null;

  /** Of disk encryption: the volumes that were seen, with what the agent said of each. */
  @Column('jsonb', { nullable: true })
  volumes!: JudgedVolume[] | null;

  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  /** Of what an agent or a device manager tells: when they say it was seen, so that it is known when they tell it again. */
  @Column('timestamptz', { name: 'told_at', nullable: true })
  toldAt!: Date | null;

  @Column('timestamptz', { name: 'recorded_at', default: () => 'now()' })
  recordedAt!: Date;
}
