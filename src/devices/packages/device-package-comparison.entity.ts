import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/**
 * What came of comparing a device's newest list of packages with those that its image pins, when the list came in. It
 * holds for that list and that version only: whoever reads it looks whether the device still has both.
 */
@Entity('device_package_comparisons')
export class DevicePackageComparison {
  @PrimaryColumn('uuid', { name: 'device_id', primaryKeyConstraintName: 'pk_device_package_comparisons' })
  @ForeignKey('Device', { name: 'fk_device_package_comparisons_device' })
  deviceId!: string;

  @Column('uuid', { name: 'image_version_id' })
  @ForeignKey('ImageVersion', { name: 'fk_device_package_comparisons_image_version' })
  imageVersionId!: string;

  /** As `device_packages` had it. */
  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  @Column('integer')
  missing!: number;

  @Column('integer', { name: 'other_version' })
  otherVersion!: number;

  @Column('integer')
  extra!: number;
}
