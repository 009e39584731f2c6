import { Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** A step waits in `planned` until all the steps it needs have ended. */
@Entity('step_needs')
@Index('ix_step_needs_needs', ['needsStepId'])
export class StepNeed {
  @PrimaryColumn('uuid', { name: 'step_id', primaryKeyConstraintName: 'pk_step_needs' })
  @ForeignKey('Step', { name: 'fk_step_needs_step' })
  stepId!: string;

  @PrimaryColumn('uuid', { name: 'needs_step_id', primaryKeyConstraintName: 'pk_step_needs' })
  @ForeignKey('Step', { name: 'fk_step_needs_needs' })
  needsStepId!: string;
}
