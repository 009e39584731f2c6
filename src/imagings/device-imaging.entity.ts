import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/**
 * read_back: the disk was read back and is the image. started: the machine started from its disk and reported the version.
 * not_verified: nobody looked.
 */
export const IMAGING_CHECKS = ['read_back', 'started', 'not_verified'] as const;
export type ImagingCheck = (typeof IMAGING_CHECKS)[number];

/** That an image was written to a machine's disk. Never changed: the database refuses it too. */
@Entity('device_imagings')
@Check('ck_device_imagings_verified', `verified IN ('read_back', 'started', 'not_verified')`)
@Index('ix_device_imagings_device', ['deviceId', 'imagedAt'])
@Index('ix_device_imagings_version', ['imageVersionId', 'id'])
export class DeviceImaging {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_imagings' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_imagings_device' })
  deviceId!: string;

  @Column('uuid', { name: 'image_version_id' })
  @ForeignKey('ImageVersion', { name: 'fk_device_imagings_image_version' })
  imageVersionId!: string;

  /** The stick that it came from, where that is known. */
  @Column('uuid', { name: 'medium_id', nullable: true })
  @ForeignKey('ImageMedium', { name: 'fk_device_imagings_medium' })
  mediumId!: string | null;

  @Column('text')
  verified!: ImagingCheck;

  @Column('text', { name: 'imaged_by' })
  imagedBy!: string;

  @Column('timestamptz', { name: 'imaged_at' })
  imagedAt!: Date;

  @Column('timestamptz', { name: 'recorded_at', default: () => 'now()' })
  recordedAt!: Date;
}
