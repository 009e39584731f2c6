import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { CommandState } from './command-states.js';

export const COMMAND_KINDS = ['lock', 'unlock', 'wipe'] as const;
export type CommandKind = (typeof COMMAND_KINDS)[number];

/** By somebody who then says here what they saw, or by the service at the machine's device manager. */
export const GIVEN_BY = ['hand', 'service'] as const;

/** What shows that an order was carried out: its device manager, or somebody's word alone. */
export const VERIFIED_BY = ['manager', 'word'] as const;
export type VerifiedBy = (typeof VERIFIED_BY)[number];

/** An order to lock or wipe a lost machine, or to unlock one that is back, followed to its end. It outlives every record of the machine elsewhere. */
@Entity('device_commands')
@Check('ck_device_commands_kind', `kind IN ('lock', 'unlock', 'wipe')`)
@Check(
  'ck_device_commands_state',
  `state IN ('ordered', 'requested', 'delivered', 'acknowledged', 'verified', 'failed', 'superseded', 'risk_accepted')`,
)
@Check('ck_device_commands_given_by', `given_by IN ('hand', 'service')`)
@Check('ck_device_commands_verified_by', `verified_by IN ('manager', 'word')`)
@Check(
  'ck_device_commands_manager',
  `(given_by = 'hand') = (tool_id IS NULL) AND (given_by = 'hand') = (computer_id IS NULL)`,
)
@Index('ix_device_commands_case', ['caseId'])
@Index('ix_device_commands_device', ['deviceId'])
@Index('ix_device_commands_due', ['dueAt'], { where: 'due_at IS NOT NULL' })
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
  kind!: CommandKind;

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

  @Column('text', { name: 'given_by', default: 'hand' })
  givenBy!: (typeof GIVEN_BY)[number];

  /** The device manager, of an order that the service gives. */
  @Column('uuid', { name: 'tool_id', nullable: true })
  @ForeignKey('Tool', { name: 'fk_device_commands_tool' })
  toolId!: string | null;

  /** The machine's own id there, as it was when it was ordered. */
  @Column('text', { name: 'computer_id', nullable: true })
  computerId!: string | null;

  /** HMAC of a wipe as it was approved, under the installation's key. */
  @Column('text', { nullable: true })
  seal!: string | null;

  /** Null: it isn't verified, or an older version wrote that. */
  @Column('text', { name: 'verified_by', nullable: true })
  verifiedBy!: VerifiedBy | null;

  /** Why it isn't further, in a sentence; of an order by hand, why the service doesn't give it. */
  @Column('text', { nullable: true })
  problem!: string | null;

  /** The service can't get on by itself. */
  @Column('boolean', { name: 'needs_person', default: false })
  needsPerson!: boolean;

  /** How often in a row the manager couldn't be asked. */
  @Column('integer', { default: 0 })
  failures!: number;

  /** When the service looks next; null: it has nothing more to do. */
  @Column('timestamptz', { name: 'due_at', nullable: true })
  dueAt!: Date | null;

  @Column('timestamptz', { name: 'leased_until', nullable: true })
  leasedUntil!: Date | null;

  /** Raised with each lease: whoever was overtaken writes nothing. */
  @Column('integer', { default: 0 })
  fence!: number;
}
