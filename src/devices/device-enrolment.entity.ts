import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

export const ENROLMENT_STATES = ['enrolled', 'gone', 'unknown'] as const;
export type EnrolmentState = (typeof ENROLMENT_STATES)[number];

/** A device's own id in a tool. */
@Entity('device_enrolments')
@Unique('uq_device_enrolments_external_id', ['toolId', 'externalId'])
@Check('ck_device_enrolments_state', `state IN ('enrolled', 'gone', 'unknown')`)
@Index('ix_device_enrolments_device', ['deviceId'])
export class DeviceEnrolment {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_enrolments' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_enrolments_device' })
  deviceId!: string;

  @Column('uuid', { name: 'tool_id' })
  @ForeignKey('Tool', { name: 'fk_device_enrolments_tool' })
  toolId!: string;

  @Column('text', { name: 'external_id' })
  externalId!: string;

  @Column('text')
  state!: EnrolmentState;

  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;
}
