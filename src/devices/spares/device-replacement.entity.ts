import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** What replaces a device that was lost, and when: the clock from the loss to the replacement's first check-in. */
@Entity('device_replacements')
@Check('ck_device_replacements_replaced', `(replacement_device_id IS NULL) = (replaced_at IS NULL)`)
@Index('ix_device_replacements_person', ['personId'])
@Index('ix_device_replacements_lost_at', ['lostAt'])
export class DeviceReplacement {
  @PrimaryColumn('uuid', { name: 'loss_case_id', primaryKeyConstraintName: 'pk_device_replacements' })
  @ForeignKey('Case', { name: 'fk_device_replacements_case' })
  lossCaseId!: string;

  @Column('uuid', { name: 'lost_device_id' })
  @ForeignKey('Device', { name: 'fk_device_replacements_lost' })
  lostDeviceId!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_device_replacements_person' })
  personId!: string;

  @Column('timestamptz', { name: 'lost_at', default: () => 'now()' })
  lostAt!: Date;

  /** The spare that was kept for it at once; null: there was none. */
  @Column('uuid', { name: 'reserved_device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_device_replacements_reserved' })
  reservedDeviceId!: string | null;

  /** The next device that the person was given. */
  @Column('uuid', { name: 'replacement_device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_device_replacements_replacement' })
  replacementDeviceId!: string | null;

  @Column('timestamptz', { name: 'replaced_at', nullable: true })
  replacedAt!: Date | null;
}
