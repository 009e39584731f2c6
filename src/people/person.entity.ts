import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

export const PERSON_STATUSES = ['expected', 'active', 'left'] as const;
export type PersonStatus = (typeof PERSON_STATUSES)[number];

/** Somebody the company knows, whatever they work as and how often they came and went. */
@Entity('people')
@Unique('uq_people_corporate_email', ['corporateEmail'])
@Check('ck_people_corporate_email', `corporate_email = lower(corporate_email)`)
@Check('ck_people_status', `status IN ('expected', 'active', 'left')`)
@Index('ix_people_status', ['status', 'id'])
// Over `SEARCHED` (people.service.ts), where PostgreSQL has pg_trgm; the entity can't describe an expression.
@Index('ix_people_search', { synchronize: false })
export class Person {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_people' })
  id!: string;

  @Column('text', { name: 'given_name' })
  givenName!: string;

  @Column('text', { name: 'family_name' })
  familyName!: string;

  @Column('text', { name: 'display_name' })
  displayName!: string;

  /** Lower case, in one of the policy's corporate domains: accounts are created on this address and no other. */
  @Column('text', { name: 'corporate_email' })
  corporateEmail!: string;

  @Column('text')
  status!: PersonStatus;

  /** The newest intention about their grants; never lower than the installation's epoch × 2³². */
  @Column('bigint', { default: 0 })
  generation!: number;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
