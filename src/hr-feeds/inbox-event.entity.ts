import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

export const INBOX_OUTCOMES = ['applied', 'duplicate', 'outdated', 'scheduled', 'held', 'unreadable'] as const;
export type InboxOutcome = (typeof INBOX_OUTCOMES)[number];

/** A webhook that was answered 2xx, with the one outcome it had. */
@Entity('inbox_events')
@Unique('uq_inbox_events_event', ['source', 'eventId'])
@Check('ck_inbox_events_outcome', `outcome IN ('applied', 'duplicate', 'outdated', 'scheduled', 'held', 'unreadable')`)
@Index('ix_inbox_events_person', ['personId'])
@Index('ix_inbox_events_employee', ['source', 'employeeId'])
@Index('ix_inbox_events_newest', ['receivedAt'])
export class InboxEvent {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_inbox_events' })
  id!: string;

  @Column('text')
  source!: string;

  /** The `webhook-id` header: unique per source. */
  @Column('text', { name: 'event_id' })
  eventId!: string;

  /** The signed body as it came, byte for byte. */
  @Column('text')
  body!: string;

  @Column('text', { name: 'event_type', nullable: true })
  eventType!: string | null;

  /** The HR system's id of the employee; known as soon as the event could be read. */
  @Column('text', { name: 'employee_id', nullable: true })
  employeeId!: string | null;

  /** From the signed body; events are ordered by it, never by header or arrival. */
  @Column('timestamptz', { name: 'event_time', nullable: true })
  eventTime!: Date | null;

  @Column('bigint', { nullable: true })
  sequence!: number | null;

  @Column('timestamptz', { name: 'received_at', default: () => 'now()' })
  receivedAt!: Date;

  /** How often it was delivered; repeats change nothing else. */
  @Column('integer', { default: 1 })
  deliveries!: number;

  @Column('timestamptz', { name: 'last_delivery_at', default: () => 'now()' })
  lastDeliveryAt!: Date;

  @Column('text')
  outcome!: InboxOutcome;

  @Column('text', { name: 'outcome_reason', nullable: true })
  outcomeReason!: string | null;

  /** For a scheduled one: the instant its local date begins. */
  @Column('timestamptz', { name: 'effective_at', nullable: true })
  effectiveAt!: Date | null;

  @Column('uuid', { name: 'person_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_inbox_events_person' })
  personId!: string | null;

  @Column('uuid', { name: 'case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_inbox_events_case' })
  caseId!: string | null;
}
