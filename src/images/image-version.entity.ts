import { Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

/** What can be written onto a device. Versions are added, never changed. */
@Entity('image_versions')
@Unique('uq_image_versions_version', ['imageId', 'version'])
export class ImageVersion {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_image_versions' })
  id!: string;

  @Column('uuid', { name: 'image_id' })
  @ForeignKey('Image', { name: 'fk_image_versions_image' })
  imageId!: string;

  @Column('text')
  version!: string;

  /** Of the image file, in lower-case hex. */
  @Column('text', { nullable: true })
  sha256!: string | null;

  @Column('timestamptz', { name: 'released_at' })
  releasedAt!: Date;
}
