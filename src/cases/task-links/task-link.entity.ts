import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** By this link somebody who can't sign in here, a manager or a tool's owner, does one step by hand. One is good at a time. */
@Entity('task_links')
@Unique('uq_task_links_token', ['tokenHash'])
@Index('ux_task_links_good', ['stepId'], { unique: true, where: 'ended_at IS NULL' })
export class TaskLink {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_task_links' })
  id!: string;

  @Column('uuid', { name: 'step_id' })
  @ForeignKey('Step', { name: 'fk_task_links_step' })
  stepId!: string;

  /** SHA-256 of the token in the link. */
  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  /** Whom it was sent to: an address. */
  @Column('text', { name: 'made_for' })
  madeFor!: string;

  @Column('text', { name: 'made_by' })
  madeBy!: string;

  @Column('timestamptz', { name: 'made_at', default: () => 'now()' })
  madeAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** When the step was done by it, or given to somebody else. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
