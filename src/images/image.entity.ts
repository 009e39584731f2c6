import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A standard disk image, in versions. */
@Entity('images')
@Unique('uq_images_name', ['name'])
export class Image {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_images' })
  id!: string;

  @Column('text')
  name!: string;
}
