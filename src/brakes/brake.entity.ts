import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const BRAKE_STATES = ['standing', 'released', 'discarded', 'emptied'] as const;
export type BrakeState = (typeof BRAKE_STATES)[number];

/** What one source did too much of within an hour: it stands until two people release or discard what it holds. */
@Entity('brakes')
@Check('ck_brakes_state', `state IN ('standing', 'released', 'discarded', 'emptied')`)
@Check('ck_brakes_ended', `(state = 'standing') = (ended_at IS NULL)`)
@Check('ck_brakes_approved', `state NOT IN ('released', 'discarded') OR approval_id IS NOT NULL`)
@Index('ux_brakes_standing', ['kind', 'source'], { unique: true, where: `state = 'standing'` })
export class Brake {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_brakes' })
  id!: string;

  @Column('text')
  kind!: string;

  /** As `sourceOf` names it: `hr:workday`, `user:<id>`, `person:<id>`, `admin:grace`, `service:imaging`, `schedule`. */
  @Column('text')
  source!: string;

  @Column('text', { default: 'standing' })
  state!: BrakeState;

  /** How many the limit let pass in an hour when it was exceeded, and for how many active people. */
  @Column('integer')
  allowed!: number;

  @Column('integer')
  staff!: number;

  /** How many cases it has held so far; each that is added waits here for the one before. */
  @Column('integer', { default: 1 })
  held!: number;

  @Column('timestamptz', { default: () => 'now()' })
  since!: Date;

  /** When people were last told of it, or reminded. */
  @Column('timestamptz', { name: 'told_at', default: () => 'now()' })
  toldAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('text', { name: 'ended_by', nullable: true })
  endedBy!: string | null;

  @Column('text', { nullable: true })
  reason!: string | null;

  @Column('uuid', { name: 'approval_id', nullable: true })
  @ForeignKey('Approval', { name: 'fk_brakes_approval' })
  approvalId!: string | null;
}
