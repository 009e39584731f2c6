import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { ComputerOrder } from '../../../connectors/kit/contract.js';

/** `refused`: nothing was done. `lost`: it may have been. */
export type CallOutcome = 'taken' | 'refused' | 'lost';

/** One call that gives an order to a device manager: its intent is committed before the call, its outcome after. */
@Entity('device_command_calls')
@Check('ck_device_command_calls_act', `act IN ('lock', 'unlock', 'wipe')`)
@Check('ck_device_command_calls_outcome', `outcome IN ('taken', 'refused', 'lost')`)
@Check('ck_device_command_calls_ended', `(ended_at IS NULL) = (outcome IS NULL)`)
@Index('ix_device_command_calls_command', ['commandId', 'intendedAt'])
export class DeviceCommandCall {
  /** Sent along where the manager's protocol has a place for it. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_command_calls' })
  id!: string;

  @Column('uuid', { name: 'command_id' })
  @ForeignKey('DeviceCommand', { name: 'fk_device_command_calls_command' })
  commandId!: string;

  /** A wipe may need an unlock before it. */
  @Column('text')
  act!: ComputerOrder;

  @Column('timestamptz', { name: 'intended_at', default: () => 'now()' })
  intendedAt!: Date;

  /** Null: under way, or its worker died. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('text', { nullable: true })
  outcome!: CallOutcome | null;

  @Column('text', { nullable: true })
  note!: string | null;
}
