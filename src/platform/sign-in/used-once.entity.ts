import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What came once and may not come again while it could still be valid; only its digest is kept. */
@Entity('used_once')
export class UsedOnceRow {
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'pk_used_once' })
  digest!: Buffer;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
