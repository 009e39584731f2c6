import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A secret under a data key of its own, which is wrapped by a sealing key. */
@Entity('secrets')
@Index('ix_secrets_key_fingerprint', ['keyFingerprint'])
export class Secret {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_secrets' })
  id!: string;

  /** What it is for, in a word or two; bound into the seal, so that one secret can't be passed off as another. */
  @Column('text')
  purpose!: string;

  @Column('integer', { default: 1 })
  version!: number;

  /** Of the sealing key that wrapped its data key. */
  @Column('text', { name: 'key_fingerprint' })
  keyFingerprint!: string;

  @Column('bytea', { name: 'wrapped_key' })
  wrappedKey!: Buffer;

  @Column('bytea')
  sealed!: Buffer;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
