import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** The newest recovery key that was taken over from a computer of a device manager. */
@Entity('device_manager_keys')
export class DeviceManagerKey {
  @PrimaryColumn('uuid', { name: 'tool_id', primaryKeyConstraintName: 'pk_device_manager_keys' })
  @ForeignKey('Tool', { name: 'fk_device_manager_keys_tool' })
  toolId!: string;

  /** The computer's own id there. */
  @PrimaryColumn('text', { name: 'computer_id', primaryKeyConstraintName: 'pk_device_manager_keys' })
  computerId!: string;

  @Column('uuid', { name: 'recovery_key_id' })
  @ForeignKey('RecoveryKey', { name: 'fk_device_manager_keys_key' })
  recoveryKeyId!: string;

  /** When the manager came to have it, by which another one is told from it; null: the manager doesn't say. */
  @Column('timestamptz', { name: 'stored_at', nullable: true })
  storedAt!: Date | null;

  @Column('timestamptz', { name: 'read_at', default: () => 'now()' })
  readAt!: Date;
}
