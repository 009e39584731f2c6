import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/**
 * receiving: not all of it is there. received: all bytes are, and their hash isn't known yet. stored: the hash is the
 * version's. refused: it was another one, and what was received is deleted.
 */
export const IMAGE_CONTENT_STATES = ['receiving', 'received', 'stored', 'refused'] as const;
export type ImageContentState = (typeof IMAGE_CONTENT_STATES)[number];

/** How far a version's content has come; the bytes are in the store of images, under the version's id. */
@Entity('image_contents')
@Check('ck_image_contents_state', `state IN ('receiving', 'received', 'stored', 'refused')`)
@Check('ck_image_contents_stored', `(state = 'stored') = (stored_at IS NOT NULL)`)
export class ImageContent {
  @PrimaryColumn('uuid', { name: 'version_id', primaryKeyConstraintName: 'pk_image_contents' })
  @ForeignKey('ImageVersion', { name: 'fk_image_contents_version' })
  versionId!: string;

  @Column('text', { default: 'receiving' })
  state!: ImageContentState;

  @Column('bigint', { name: 'received_bytes', default: 0 })
  receivedBytes!: number;

  /** How far its hash is computed. */
  @Column('bigint', { name: 'checked_bytes', default: 0 })
  checkedBytes!: number;

  /** What the store has to know to go on; only it reads that. */
  @Column('jsonb', { default: {} })
  held!: Record<string, unknown>;

  /** Why it was refused, or can't be checked at the moment. */
  @Column('text', { nullable: true })
  problem!: string | null;

  /** Who writes or checks it at the moment. */
  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  /** Until when that is believed without a renewal. Of nobody: until when it isn't checked again, since that failed. */
  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  @Column('timestamptz', { name: 'stored_at', nullable: true })
  storedAt!: Date | null;
}
