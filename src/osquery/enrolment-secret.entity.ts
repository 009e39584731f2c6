import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** What a batch of agents enrols with. Only its hash is kept. */
@Entity('osquery_enrolment_secrets')
@Unique('uq_osquery_enrolment_secrets_hash', ['secretHash'])
@Check('ck_osquery_enrolment_secrets_used', `used BETWEEN 0 AND uses`)
export class EnrolmentSecret {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_osquery_enrolment_secrets' })
  id!: string;

  /** Of the batch: `laptops of November`. */
  @Column('text')
  name!: string;

  @Column('bytea', { name: 'secret_hash' })
  secretHash!: Buffer;

  /** How many agents may enrol with it. */
  @Column('integer')
  uses!: number;

  @Column('integer', { default: 0 })
  used!: number;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
