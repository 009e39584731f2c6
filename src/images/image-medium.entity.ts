import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { MediumState } from './medium-states.js';

/** One writing of an image to a stick. What is on a stick is the newest of its serial number. */
@Entity('image_media')
@Check('ck_image_media_state', `state IN ('writing', 'verified', 'failed')`)
@Check(
  'ck_image_media_verified',
  `state <> 'verified' OR sha256 IS NOT NULL AND uncached IS TRUE AND checked_at IS NOT NULL`,
)
@Index('ix_image_media_serial', ['serial', 'id'])
@Index('ix_image_media_version', ['imageVersionId', 'id'])
export class ImageMedium {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_image_media' })
  id!: string;

  /** Of the stick; where it has none, what is written on it. */
  @Column('text')
  serial!: string;

  @Column('text', { nullable: true })
  model!: string | null;

  @Column('bigint', { name: 'capacity_bytes' })
  capacityBytes!: number;

  @Column('uuid', { name: 'image_version_id' })
  @ForeignKey('ImageVersion', { name: 'fk_image_media_image_version' })
  imageVersionId!: string;

  @Column('text', { default: 'writing' })
  state!: MediumState;

  /** Of what was read back last, in lower-case hex. */
  @Column('text', { nullable: true })
  sha256!: string | null;

  /** It was read past the memory of the kernel: what was read was on it. */
  @Column('boolean', { nullable: true })
  uncached!: boolean | null;

  /** Why it failed, or isn't verified although it was read back. */
  @Column('text', { nullable: true })
  problem!: string | null;

  @Column('text', { name: 'written_by' })
  writtenBy!: string;

  @Column('timestamptz', { name: 'written_at', default: () => 'now()' })
  writtenAt!: Date;

  @Column('text', { name: 'checked_by', nullable: true })
  checkedBy!: string | null;

  @Column('timestamptz', { name: 'checked_at', nullable: true })
  checkedAt!: Date | null;
}
