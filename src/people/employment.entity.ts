import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** One engagement of a person, as one HR source tells it. Dates stand as local date, zone and instant together. */
@Entity('employments')
@Unique('uq_employments_source', ['source', 'sourceId'])
@Check('ck_employments_end', `(end_date IS NULL) = (ends_at IS NULL)`)
@Index('ix_employments_person', ['personId'])
// Over lower(department), as people are filtered by it.
@Index('ix_employments_department', { synchronize: false })
@Index('ix_employments_start_due', ['startsAt'], { where: 'start_applied_at IS NULL' })
@Index('ix_employments_end_due', ['endsAt'], { where: 'ends_at IS NOT NULL AND end_applied_at IS NULL' })
export class Employment {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_employments' })
  id!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_employments_person' })
  personId!: string;

  /** Name of the HR source that speaks for it. */
  @Column('text')
  source!: string;

  /** The source's own id of it. */
  @Column('text', { name: 'source_id' })
  sourceId!: string;

  @Column('text')
  department!: string;

  @Column('text', { nullable: true })
  title!: string | null;

  @Column('text', { name: 'employment_type' })
  employmentType!: string;

  @Column('text', { nullable: true })
  location!: string | null;

  /** IANA zone in which its dates are meant. */
  @Column('text')
  zone!: string;

  /** `YYYY-MM-DD` in `zone`. */
  @Column('date', { name: 'start_date' })
  startDate!: string;

  @Column('timestamptz', { name: 'starts_at' })
  startsAt!: Date;

  @Column('timestamptz', { name: 'start_applied_at', nullable: true })
  startAppliedAt!: Date | null;

  /** `YYYY-MM-DD` in `zone`; see `start-instant.ts` for the instant it stands for. */
  @Column('date', { name: 'end_date', nullable: true })
  endDate!: string | null;

  @Column('timestamptz', { name: 'ends_at', nullable: true })
  endsAt!: Date | null;

  @Column('timestamptz', { name: 'end_applied_at', nullable: true })
  endAppliedAt!: Date | null;

  /** When its end came and a brake held the leave: the person goes on as employed until two people have decided. */
  @Column('timestamptz', { name: 'end_held_at', nullable: true })
  endHeldAt!: Date | null;

  /** Event time, in the signed body, of the newest event that was applied. */
  @Column('timestamptz', { name: 'last_event_at' })
  lastEventAt!: Date;

  @Column('bigint', { name: 'last_event_sequence', default: 0 })
  lastEventSequence!: number;

  @Column('integer', { default: 1 })
  version!: number;
}
