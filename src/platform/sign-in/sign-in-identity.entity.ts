import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * Somebody who may sign in through an OpenID provider: known by issuer and subject, and by nothing else. What they may
 * do is said by the roles that `user:<id>` holds.
 */
@Entity('sign_in_identities')
@Unique('uq_sign_in_identities_subject', ['issuer', 'subject'])
@Index('ix_sign_in_identities_person', ['personId'])
export class SignInIdentity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sign_in_identities' })
  id!: string;

  @Column('text')
  issuer!: string;

  @Column('text')
  subject!: string;

  @Column('text', { name: 'display_name' })
  displayName!: string;

  /** Who it is among the people whose access this installation looks after; an auditor from outside is nobody there. */
  @Column('uuid', { name: 'person_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_sign_in_identities_person' })
  personId!: string | null;

  @Column('timestamptz', { name: 'admitted_at', default: () => 'now()' })
  admittedAt!: Date;

  /** From then on it signs nobody in, until it is admitted again. */
  @Column('timestamptz', { name: 'withdrawn_at', nullable: true })
  withdrawnAt!: Date | null;
}
