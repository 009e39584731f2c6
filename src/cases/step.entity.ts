import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { ActorKind } from '../platform/sign-in/actor.js';
import type { Lane, StepAct, StepEffect, StepState } from './step-states.js';

/** One act on one target. Steps in state `ready` are the outbox: there is no second copy of what is to be done. */
@Entity('steps')
@Check(
  'ck_steps_act',
  `act IN ('discover', 'create_account', 'grant', 'restore_account', 'suspend_account',
          'withdraw', 'reset_credentials', 'revoke_device', 'final_look')`,
)
@Check(
  'ck_steps_effect',
  `effect = CASE
          WHEN act IN ('discover', 'final_look') THEN 'look'
          WHEN act IN ('create_account', 'grant', 'restore_account') THEN 'grant'
          ELSE 'revoke' END`,
)
@Check(
  'ck_steps_state',
  `state IN ('planned', 'held', 'ready', 'running', 'confirming', 'done', 'needs_human', 'superseded', 'waived')`,
)
@Check('ck_steps_lane', `lane IN ('emergency', 'standard', 'bulk')`)
@Check('ck_steps_lease', `(lease_owner IS NULL) = (lease_until IS NULL)`)
@Check(
  'ck_steps_leased_state',
  `CASE WHEN state = 'running' THEN lease_owner IS NOT NULL ELSE lease_owner IS NULL OR state = 'confirming' END`,
)
@Check('ck_steps_done_is_confirmed', `state <> 'done' OR confirmed_at IS NOT NULL`)
@Check(
  'ck_steps_needs_human',
  `state <> 'needs_human' OR (owner IS NOT NULL AND deadline IS NOT NULL AND reason IS NOT NULL)`,
)
@Check('ck_steps_waived', `state <> 'waived' OR (owner IS NOT NULL AND reason IS NOT NULL)`)
@Check(
  'ck_steps_attested',
  `(attested_by IS NULL) = (attested_by_id IS NULL) AND (attested_by IS NULL) = (attested_at IS NULL)`,
)
@Check('ck_steps_requested_by', `(requested_by IS NULL) = (requested_by_kind IS NULL)`)
@Check('ck_steps_revocation_stays', `NOT (state = 'superseded' AND effect = 'revoke')`)
@Index('ix_steps_case', ['caseId', 'position'])
@Index('ix_steps_account', ['accountId'])
@Index('ix_steps_due', ['toolId', 'lane', 'dueAt', 'id'], {
  where: `state IN ('ready', 'confirming') AND lease_owner IS NULL`,
})
@Index('ix_steps_suspect', ['toolId', 'lane', 'dueAt', 'id'], {
  where: `crashes >= 2 AND state IN ('ready', 'confirming') AND lease_owner IS NULL`,
})
@Index('ix_steps_leased', ['leaseUntil'], { where: 'lease_owner IS NOT NULL' })
@Index('ix_steps_busy', ['toolId', 'lane'], { where: 'lease_owner IS NOT NULL OR dispatched_until IS NOT NULL' })
@Index('ix_steps_needs_human', ['deadline'], { where: `state = 'needs_human'` })
@Index('ix_steps_unfinished_grants', ['personId', 'toolId'], {
  where: `effect = 'grant' AND state NOT IN ('done', 'superseded', 'waived')`,
})
@Index('ix_steps_lone_crashes', ['loneCrashes'], { where: 'lone_crashes > 0' })
@Index('ix_steps_unfinished_revocations', ['personId'], {
  where: `effect = 'revoke' AND state NOT IN ('done', 'waived')`,
})
export class Step {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_steps' })
  id!: string;

  @Column('uuid', { name: 'case_id' })
  @ForeignKey('Case', { name: 'fk_steps_case' })
  caseId!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_steps_person' })
  personId!: string;

  @Column('uuid', { name: 'tool_id' })
  @ForeignKey('Tool', { name: 'fk_steps_tool' })
  toolId!: string;

  @Column('uuid', { name: 'account_id', nullable: true })
  @ForeignKey('Account', { name: 'fk_steps_account' })
  accountId!: string | null;

  @Column('uuid', { name: 'grant_id', nullable: true })
  @ForeignKey('Grant', { name: 'fk_steps_grant' })
  grantId!: string | null;

  @Column('text')
  act!: StepAct;

  @Column('text')
  effect!: StepEffect;

  @Column('text')
  state!: StepState;

  @Column('text')
  lane!: Lane;

  /** Order in the case's timeline; not an order of execution, which `step_needs` gives. */
  @Column('integer')
  position!: number;

  @Column('bigint')
  generation!: number;

  @Column('timestamptz', { name: 'due_at', default: () => 'now()' })
  dueAt!: Date;

  /** Sent to a queue and not yet claimed; after this instant the sweeper may send it again. */
  @Column('timestamptz', { name: 'dispatched_until', nullable: true })
  dispatchedUntil!: Date | null;

  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;

  /** A lease is renewed up to this instant and not beyond. */
  @Column('timestamptz', { name: 'call_deadline', nullable: true })
  callDeadline!: Date | null;

  /** Raised by each claim; a write that carries an older one is refused. Its upper bits are the installation's epoch. */
  @Column('bigint', { default: 0 })
  fence!: number;

  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('integer', { default: 0 })
  failures!: number;

  @Column('integer', { name: 'read_backs', default: 0 })
  readBacks!: number;

  @Column('integer', { default: 0 })
  crashes!: number;

  /** Crashes while it ran alone; three of them quarantine it and no other. */
  @Column('integer', { name: 'lone_crashes', default: 0 })
  loneCrashes!: number;

  @Column('jsonb', { default: {} })
  input!: Record<string, unknown>;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('text', { nullable: true })
  owner!: string | null;

  @Column('timestamptz', { nullable: true })
  deadline!: Date | null;

  /** Who says that they did it by hand, at a tool that can't show it; while it needs somebody, another person still has to confirm that. */
  @Column('text', { name: 'attested_by', nullable: true })
  attestedBy!: string | null;

  @Column('text', { name: 'attested_by_id', nullable: true })
  attestedById!: string | null;

  @Column('timestamptz', { name: 'attested_at', nullable: true })
  attestedAt!: Date | null;

  /** The id of the actor who had it tried again, and answers for it in the place of who asked for the case. */
  @Column('text', { name: 'requested_by', nullable: true })
  requestedBy!: string | null;

  @Column('text', { name: 'requested_by_kind', nullable: true })
  requestedByKind!: ActorKind | null;

  @Column('timestamptz', { name: 'residual_until', nullable: true })
  residualUntil!: Date | null;

  @Column('timestamptz', { name: 'requested_at', default: () => 'now()' })
  requestedAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  @Column('timestamptz', { name: 'confirmed_at', nullable: true })
  confirmedAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
