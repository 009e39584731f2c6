import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** When a device manager is asked next, and how the last round went. */
@Entity('device_manager_rounds')
export class DeviceManagerRound {
  @PrimaryColumn('uuid', { name: 'tool_id', primaryKeyConstraintName: 'pk_device_manager_rounds' })
  @ForeignKey('Tool', { name: 'fk_device_manager_rounds_tool' })
  toolId!: string;

  /** Also the lease: whoever asks moves it on, first and with everything that they write. */
  @Column('timestamptz', { name: 'next_at', default: () => 'now()' })
  nextAt!: Date;

  /** Of the last round that went through all of them. */
  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** How many of its computers are devices of ours. */
  @Column('integer', { default: 0 })
  matched!: number;

  @Column('integer', { default: 0 })
  unmatched!: number;

  /** Of the matched ones, how many the manager couldn't tell of. */
  @Column('integer', { default: 0 })
  unread!: number;

  @Column('text', { nullable: true })
  problem!: string | null;

  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;
}
