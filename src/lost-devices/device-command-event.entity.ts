import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { CommandState } from './command-states.js';

/** What somebody saw of an order, and when. Only ever added. */
@Entity('device_command_events')
@Index('ix_device_command_events_command', ['commandId', 'id'])
export class DeviceCommandEvent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_command_events' })
  id!: string;

  @Column('uuid', { name: 'command_id' })
  @ForeignKey('DeviceCommand', { name: 'fk_device_command_events_command' })
  commandId!: string;

  @Column('text')
  state!: CommandState;

  @Column('text')
  note!: string;

  @Column('text', { name: 'seen_by' })
  seenBy!: string;

  @Column('timestamptz', { name: 'seen_at', default: () => 'now()' })
  seenAt!: Date;
}
