import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { TaskEnding } from './runbook/runbook-schema.js';

/** One task of the runbook, for one loss. */
@Entity('loss_tasks')
@Check('ck_loss_tasks_done', `(done_at IS NULL) = (done_by IS NULL)`)
@Index('ix_loss_tasks_due', ['dueAt'], { where: 'done_at IS NULL' })
export class LossTask {
  @PrimaryColumn('uuid', { name: 'case_id', primaryKeyConstraintName: 'pk_loss_tasks' })
  @ForeignKey('Loss', { name: 'fk_loss_tasks_loss' })
  caseId!: string;

  /** As the runbook names it. */
  @PrimaryColumn('text', { name: 'task', primaryKeyConstraintName: 'pk_loss_tasks' })
  task!: string;

  @Column('integer')
  position!: number;

  @Column('text')
  title!: string;

  @Column('text')
  owner!: string;

  /** What ends it; null: somebody's word. */
  @Column('text', { nullable: true })
  ends!: TaskEnding | null;

  @Column('timestamptz', { name: 'due_at' })
  dueAt!: Date;

  @Column('timestamptz', { name: 'done_at', nullable: true })
  doneAt!: Date | null;

  @Column('text', { name: 'done_by', nullable: true })
  doneBy!: string | null;

  @Column('text', { nullable: true })
  note!: string | null;
}
