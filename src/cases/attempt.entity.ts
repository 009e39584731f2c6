import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ToolErrorKind } from '../../connectors/kit/errors.js';
import type { StepEffect } from './step-states.js';

export const ATTEMPT_KINDS = ['act', 'read_back', 'look'] as const;
export type AttemptKind = (typeof ATTEMPT_KINDS)[number];

export const ATTEMPT_OUTCOMES = [
  'done',
  'already',
  'in_progress',
  'action_required',
  'not_sent',
  'failed',
  'shown',
  'not_yet',
  'contradicted',
  'cannot_see',
] as const;
export type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** One external call: its intent is committed before the call, its outcome after. */
@Entity('attempts')
@Unique('uq_attempts_number', ['stepId', 'number'])
@Check('ck_attempts_kind', `kind IN ('act', 'read_back', 'look')`)
@Check(
  'ck_attempts_outcome',
  `outcome IN ('done', 'already', 'in_progress', 'action_required', 'not_sent', 'failed',
          'shown', 'not_yet', 'contradicted', 'cannot_see')`,
)
@Check('ck_attempts_finished', `(outcome IS NULL) = (finished_at IS NULL)`)
@Index('ix_attempts_open_grants', ['personId', 'toolId'], {
  where: `outcome IS NULL AND kind = 'act' AND effect = 'grant'`,
})
@Index('ix_attempts_open', ['workerId'], { where: 'outcome IS NULL' })
export class Attempt {
  /** Sent to the tool where its protocol has a place for it, so that its log can be matched to ours. */
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_attempts' })
  id!: string;

  @Column('uuid', { name: 'step_id' })
  @ForeignKey('Step', { name: 'fk_attempts_step' })
  stepId!: string;

  @Column('uuid', { name: 'person_id' })
  personId!: string;

  @Column('uuid', { name: 'tool_id' })
  toolId!: string;

  @Column('integer')
  number!: number;

  @Column('text')
  kind!: AttemptKind;

  @Column('text')
  effect!: StepEffect;

  @Column('bigint')
  fence!: number;

  @Column('uuid', { name: 'worker_id' })
  @ForeignKey('WorkerProcess', { name: 'fk_attempts_worker' })
  workerId!: string;

  /** What is about to be asked of the tool; holds no secret. */
  @Column('jsonb')
  intent!: Record<string, unknown>;

  @Column('timestamptz', { name: 'intended_at', default: () => 'now()' })
  intendedAt!: Date;

  @Column('timestamptz', { name: 'call_deadline' })
  callDeadline!: Date;

  @Column('text', { nullable: true })
  outcome!: AttemptOutcome | null;

  @Column('text', { name: 'error_kind', nullable: true })
  errorKind!: ToolErrorKind | null;

  @Column('jsonb', { nullable: true })
  detail!: Record<string, unknown> | null;

  @Column('timestamptz', { name: 'finished_at', nullable: true })
  finishedAt!: Date | null;

  /** Its worker died before it wrote an outcome; what the call did is unknown until somebody looked. */
  @Column('timestamptz', { name: 'abandoned_at', nullable: true })
  abandonedAt!: Date | null;
}
