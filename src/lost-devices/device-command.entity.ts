import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { CommandState } from './command-states.js';

export const COMMAND_KINDS = ['lock', 'wipe'] as const;

/** An order to lock or wipe a lost machine, followed to its end. It outlives every record of the machine elsewhere. */
@Entity('device_commands')
@Check('ck_device_commands_kind', `kind IN ('lock', 'wipe')`)
@Check(
  'ck_device_commands_state',
  `state IN ('ordered', 'requested', 'delivered', 'acknowledged', 'verified', 'failed', 'superseded', 'risk_accepted')`,
)
@Index('ix_device_commands_case', ['caseId'])
@Index('ix_device_commands_device', ['deviceId'])
export class DeviceCommand {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_commands' })
  id!: string;

  @Column('uuid', { name: 'case_id' })
  @ForeignKey('Loss', { name: 'fk_device_commands_loss' })
  caseId!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_commands_device' })
  deviceId!: string;

  @Column('text')
  kind!: (typeof COMMAND_KINDS)[number];

  @Column('text')
  state!: CommandState;

  /** The second person's, of a wipe. */
  @Column('uuid', { name: 'approval_id', nullable: true })
  @ForeignKey('Approval', { name: 'fk_device_commands_approval' })
  approvalId!: string | null;

  @Column('text', { name: 'ordered_by' })
  orderedBy!: string;

  @Column('timestamptz', { name: 'ordered_at', default: () => 'now()' })
  orderedAt!: Date;
}
