import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ImageChannel } from './image-channels.js';
import type { BuildManifest } from './release-statement.js';

export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** What can be written onto a device. Once it is published only its channel moves: the database refuses all else too. */
@Entity('image_versions')
@Unique('uq_image_versions_version', ['imageId', 'version'])
@Index('ux_image_versions_current', ['imageId', 'architecture'], { unique: true, where: `channel = 'current'` })
@Check('ck_image_versions_architecture', `architecture IN ('amd64', 'arm64')`)
@Check('ck_image_versions_size', `size_bytes > 0`)
@Check('ck_image_versions_channel', `channel IN ('draft', 'current', 'deprecated', 'withdrawn')`)
@Check(
  'ck_image_versions_published',
  `published_at IS NULL AND channel IN ('draft', 'withdrawn')
   OR published_at IS NOT NULL AND channel <> 'draft' AND published_by IS NOT NULL AND sha256 IS NOT NULL
     AND os IS NOT NULL AND architecture IS NOT NULL AND size_bytes IS NOT NULL AND manifest IS NOT NULL
     AND signature IS NOT NULL AND release_key_id IS NOT NULL`,
)
@Check(
  'ck_image_versions_withdrawn',
  `(channel = 'withdrawn') = (withdrawn_at IS NOT NULL AND withdrawn_by IS NOT NULL AND withdrawal_reason IS NOT NULL)`,
)
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

  /** As in `debian-13`. */
  @Column('text', { nullable: true })
  os!: string | null;

  @Column('text', { nullable: true })
  architecture!: Architecture | null;

  @Column('bigint', { name: 'size_bytes', nullable: true })
  sizeBytes!: number | null;

  @Column('jsonb', { nullable: true })
  manifest!: BuildManifest | null;

  @Column('text', { name: 'change_log', default: '' })
  changeLog!: string;

  /** Ed25519 over the release statement, in base64. */
  @Column('text', { nullable: true })
  signature!: string | null;

  @Column('uuid', { name: 'release_key_id', nullable: true })
  @ForeignKey('ImageReleaseKey', { name: 'fk_image_versions_release_key' })
  releaseKeyId!: string | null;

  @Column('text', { default: 'draft' })
  channel!: ImageChannel;

  /** Counts its changes, for `If-Match`. */
  @Column('integer', { default: 1 })
  revision!: number;

  @Column('timestamptz', { name: 'published_at', nullable: true })
  publishedAt!: Date | null;

  @Column('text', { name: 'published_by', nullable: true })
  publishedBy!: string | null;

  @Column('timestamptz', { name: 'withdrawn_at', nullable: true })
  withdrawnAt!: Date | null;

  @Column('text', { name: 'withdrawn_by', nullable: true })
  withdrawnBy!: string | null;

  @Column('text', { name: 'withdrawal_reason', nullable: true })
  withdrawalReason!: string | null;
}
