import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** Whose signature an image version needs: the public half of an Ed25519 key. Never changed; retired once. */
@Entity('image_release_keys')
@Unique('uq_image_release_keys_name', ['name'])
@Unique('uq_image_release_keys_fingerprint', ['fingerprint'])
@Check('ck_image_release_keys_retired', `(retired_at IS NULL) = (retired_by IS NULL)`)
export class ImageReleaseKey {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_image_release_keys' })
  id!: string;

  @Column('text')
  name!: string;

  /** SubjectPublicKeyInfo, as PEM. */
  @Column('text', { name: 'public_key' })
  publicKey!: string;

  /** SHA-256 of the key as DER, in lower-case hex. */
  @Column('text')
  fingerprint!: string;

  @Column('text', { name: 'added_by' })
  addedBy!: string;

  @Column('timestamptz', { name: 'added_at', default: () => 'now()' })
  addedAt!: Date;

  @Column('text', { name: 'retired_by', nullable: true })
  retiredBy!: string | null;

  /** From then on nothing is published under it; what was stays so. */
  @Column('timestamptz', { name: 'retired_at', nullable: true })
  retiredAt!: Date | null;
}
