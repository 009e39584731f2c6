import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** Why a device of a model that isn't standard is used all the same, who answers for that, and until when. */
@Entity('device_exceptions')
@Index('ux_device_exceptions_standing', ['deviceId'], { unique: true, where: 'ended_at IS NULL' })
export class DeviceException {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_exceptions' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_exceptions_device' })
  deviceId!: string;

  @Column('uuid', { name: 'owner_id' })
  @ForeignKey('Person', { name: 'fk_device_exceptions_owner' })
  ownerId!: string;

  @Column('text')
  reason!: string;

  /** Its last day, e.g. `2027-03-31`. Passing it ends nothing by itself: somebody is told, and decides. */
  @Column('date', { name: 'ends_on' })
  endsOn!: string;

  @Column('text', { name: 'granted_by' })
  grantedBy!: string;

  @Column('timestamptz', { name: 'granted_at', default: () => 'now()' })
  grantedAt!: Date;

  /** When somebody ended it, or granted another one in its place. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
