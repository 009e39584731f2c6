import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { ActorKind } from '../platform/sign-in/actor.js';
import type { CaseKind, Lane } from './step-states.js';

export const CASE_STATES = ['open', 'closed'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Whether a case takes in all of a person's access, or one device's only. */
export const CASE_SCOPES = ['person', 'device'] as const;
export type CaseScope = (typeof CASE_SCOPES)[number];

/** A person joins, moves, leaves, comes back, loses a device: the plan of steps that answers it. */
@Entity('cases')
@Check(
  'ck_cases_kind',
  `kind IN ('joiner', 'mover', 'leaver', 'rehire', 'lost_device', 'credential_reset', 'restoration')`,
)
@Check('ck_cases_state', `state IN ('open', 'closed')`)
@Check('ck_cases_closed_at', `(state = 'closed') = (closed_at IS NOT NULL)`)
@Check('ck_cases_lane', `lane IN ('emergency', 'standard', 'bulk')`)
@Check('ck_cases_scope', `scope IN ('person', 'device')`)
@Check('ck_cases_requested_by', `(requested_by IS NULL) = (requested_by_kind IS NULL)`)
@Index('ix_cases_person', ['personId'])
@Index('ix_cases_open', ['openedAt'], { where: `state = 'open'` })
export class Case {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_cases' })
  id!: string;

  @Column('text')
  kind!: CaseKind;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_cases_person' })
  personId!: string;

  @Column('uuid', { name: 'device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_cases_device' })
  deviceId!: string | null;

  @Column('uuid', { name: 'parent_case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_cases_parent' })
  parentCaseId!: string | null;

  /** The access policy the plan was made with; a later version affects later cases only. */
  @Column('uuid', { name: 'policy_version_id', nullable: true })
  @ForeignKey('PolicyVersion', { name: 'fk_cases_policy_version' })
  policyVersionId!: string | null;

  @Column('text', { default: 'open' })
  state!: CaseState;

  @Column('text')
  lane!: Lane;

  @Column('text', { default: 'person' })
  scope!: CaseScope;

  /** The person's generation this case was opened at; a newer one supersedes its grants, never its revocations. */
  @Column('bigint')
  generation!: number;

  /** Name of the actor, as shown in the timeline. */
  @Column('text', { name: 'opened_by' })
  openedBy!: string;

  /** The actor's id; null in cases from before this was kept. */
  @Column('text', { name: 'requested_by', nullable: true })
  requestedBy!: string | null;

  @Column('text', { name: 'requested_by_kind', nullable: true })
  requestedByKind!: ActorKind | null;

  /** What was known when it was opened, e.g. a lost device's encryption and the age of that knowledge. */
  @Column('jsonb', { default: {} })
  facts!: Record<string, unknown>;

  @Column('timestamptz', { name: 'opened_at', default: () => 'now()' })
  openedAt!: Date;

  @Column('timestamptz', { name: 'closed_at', nullable: true })
  closedAt!: Date | null;

  @Column('integer', { default: 1 })
  version!: number;
}
