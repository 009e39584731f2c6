import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What takes two people. A new one is bound by the feature that carries it out (`Approvals.bind`). */
export const APPROVAL_ACTS = [
  'brake.release',
  'brake.discard',
  'brake-limit.raise',
  'role.assign',
  'role.end',
  'recovery-keys.read',
  'device.wipe',
] as const;
export type ApprovalAct = (typeof APPROVAL_ACTS)[number];

export const APPROVAL_STATES = ['waiting', 'approved', 'refused'] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

/** One act that one person asked for and another one approves, bound to exactly this plan. Used once. */
@Entity('approvals')
@Check('ck_approvals_state', `state IN ('waiting', 'approved', 'refused')`)
@Check(
  'ck_approvals_decided',
  `(state = 'waiting') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)
      AND (decided_by IS NULL) = (decided_by_id IS NULL)`,
)
@Check('ck_approvals_two_people', `decided_by_id IS NULL OR decided_by_id <> requested_by_id`)
@Check('ck_approvals_plan_hash', `plan_hash ~ '^[0-9a-f]{64}$'`)
@Index('ix_approvals_target', ['targetId'])
export class Approval {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_approvals' })
  id!: string;

  @Column('text')
  act!: ApprovalAct;

  /** What it is done to: for a release, the brake; of a role that is to be given, the assignment that will be; of a wish, its own id. */
  @Column('uuid', { name: 'target_id' })
  targetId!: string;

  /** What would happen, in a sentence. */
  @Column('text')
  summary!: string;

  /** Everything that would happen and to whom, as it was when it was requested. */
  @Column('jsonb')
  plan!: Record<string, unknown>;

  /** SHA-256 of the plan's canonical JSON, in hex. */
  @Column('text', { name: 'plan_hash' })
  planHash!: string;

  /** HMAC of the request under the installation's key: a row that was edited behind our back is refused. */
  @Column('text')
  seal!: string;

  @Column('text')
  reason!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  @Column('text', { name: 'requested_by_id' })
  requestedById!: string;

  @Column('timestamptz', { name: 'requested_at', default: () => 'now()' })
  requestedAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('text', { default: 'waiting' })
  state!: ApprovalState;

  @Column('text', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  @Column('text', { name: 'decided_by_id', nullable: true })
  decidedById!: string | null;

  @Column('timestamptz', { name: 'decided_at', nullable: true })
  decidedAt!: Date | null;

  /** HMAC of the decision, as `seal` is of the request; null before it, and of one that an older version took. */
  @Column('text', { name: 'decision_seal', nullable: true })
  decisionSeal!: string | null;

  @Column('text', { nullable: true })
  note!: string | null;
}
