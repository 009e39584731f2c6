import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

export const GRANT_KINDS = ['group', 'role', 'licence'] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

export const DESIRED_PRESENCES = ['present', 'absent'] as const;
export type DesiredPresence = (typeof DESIRED_PRESENCES)[number];

export const OBSERVED_PRESENCES = ['unknown', 'present', 'absent'] as const;
export type ObservedPresence = (typeof OBSERVED_PRESENCES)[number];

/** A group, role or licence on an account. */
@Entity('grants')
@Unique('uq_grants_name', ['accountId', 'kind', 'name'])
@Check('ck_grants_kind', `kind IN ('group', 'role', 'licence')`)
@Check('ck_grants_desired', `desired IN ('present', 'absent')`)
@Check('ck_grants_observed', `observed IN ('unknown', 'present', 'absent')`)
export class Grant {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_grants' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  @ForeignKey('Account', { name: 'fk_grants_account' })
  accountId!: string;

  @Column('text')
  kind!: GrantKind;

  /** The tool's own name for it, as written in the access policy. */
  @Column('text')
  name!: string;

  @Column('text')
  desired!: DesiredPresence;

  @Column('text', { default: 'unknown' })
  observed!: ObservedPresence;

  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt!: Date | null;

  /** The person's generation at which it was last wanted or unwanted. */
  @Column('bigint')
  generation!: number;
}
