import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

export const ACCOUNT_KINDS = ['person', 'service', 'shared'] as const;
export type AccountKind = (typeof ACCOUNT_KINDS)[number];

export const DESIRED_STATES = ['active', 'suspended', 'absent'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

export const OBSERVED_STATES = ['unknown', 'absent', 'active', 'suspended'] as const;
export type ObservedState = (typeof OBSERVED_STATES)[number];

/** An identity in one tool. What it should be and what the tool last showed stand beside each other. */
@Entity('accounts')
@Unique('uq_accounts_external_id', ['toolId', 'externalId'])
@Unique('uq_accounts_purpose', ['personId', 'toolId', 'purpose'])
@Check('ck_accounts_kind', `kind IN ('person', 'service', 'shared')`)
@Check('ck_accounts_desired', `desired_state IN ('active', 'suspended', 'absent')`)
@Check('ck_accounts_observed', `observed_state IN ('unknown', 'absent', 'active', 'suspended')`)
@Check('ck_accounts_observed_at', `observed_state = 'unknown' OR observed_at IS NOT NULL`)
@Index('ix_accounts_tool', ['toolId'])
// Over (tool_id, lower(username)), for patterns: which names are taken at the tool.
@Index('ix_accounts_username', { synchronize: false })
export class Account {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_accounts' })
  id!: string;

  @Column('uuid', { name: 'tool_id' })
  @ForeignKey('Tool', { name: 'fk_accounts_tool' })
  toolId!: string;

  @Column('uuid', { name: 'person_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_accounts_person' })
  personId!: string | null;

  @Column('text', { default: 'person' })
  kind!: AccountKind;

  /** `primary`, or `found:<external id>` for one that discovery found beside it. */
  @Column('text', { default: 'primary' })
  purpose!: string;

  @Column('text')
  username!: string;

  /** The tool's own stable id; null until a create or a look has shown it. */
  @Column('text', { name: 'external_id', nullable: true })
  externalId!: string | null;

  /** What we write to the tool to find our own create again; see `mark.ts`. */
  @Column('text', { nullable: true })
  mark!: string | null;

  @Column('text', { name: 'desired_state' })
  desiredState!: DesiredState;

  @Column('text', { name: 'observed_state', default: 'unknown' })
  observedState!: ObservedState;

  @Column('timestamptz', { name: 'observed_at', nullable: true })
  observedAt!: Date | null;

  @Column('text', { name: 'observed_source', nullable: true })
  observedSource!: string | null;

  /** Sessions, tokens and keys that the tool showed alive; null: it can't show them. */
  @Column('integer', { name: 'live_sessions', nullable: true })
  liveSessions!: number | null;

  /** Until when the tool may still honour what was issued before, where it can't show it. */
  @Column('timestamptz', { name: 'residual_until', nullable: true })
  residualUntil!: Date | null;

  /** As the tool shows it: changes with each reset of the credentials. */
  @Column('text', { name: 'credential_version', nullable: true })
  credentialVersion!: string | null;

  @Column('timestamptz', { name: 'credentials_reset_at', nullable: true })
  credentialsResetAt!: Date | null;

  /** The person's generation at which the desired state was set. */
  @Column('bigint', { default: 0 })
  generation!: number;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
