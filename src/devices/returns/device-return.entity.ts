import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { CONDITIONS, ReturnState, WIPED } from './return-states.js';

/** A device that somebody has to give back, pursued until it was received and inspected, or somebody writes it off. */
@Entity('device_returns')
@Check('ck_device_returns_state', `state IN ('asked', 'sent', 'received', 'inspected', 'written_off')`)
@Check('ck_device_returns_condition', `condition IN ('good', 'worn', 'faulty', 'not_stated')`)
@Check('ck_device_returns_wiped', `wiped IN ('yes', 'no', 'unknown')`)
@Check(
  'ck_device_returns_received',
  `state NOT IN ('received', 'inspected') OR (received_at IS NOT NULL AND received_by IS NOT NULL)`,
)
@Check(
  'ck_device_returns_inspected',
  `state <> 'inspected' OR (inspected_at IS NOT NULL AND inspected_by IS NOT NULL AND condition IS NOT NULL AND wiped IS NOT NULL)`,
)
@Check(
  'ck_device_returns_written_off',
  `state <> 'written_off' OR (written_off_at IS NOT NULL AND written_off_by IS NOT NULL AND reason IS NOT NULL)`,
)
@Index('ux_device_returns_outstanding', ['deviceId'], { unique: true, where: `state IN ('asked', 'sent', 'received')` })
@Index('ix_device_returns_person', ['personId'])
@Index('ix_device_returns_case', ['caseId'], { where: 'case_id IS NOT NULL' })
export class DeviceReturn {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_returns' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_returns_device' })
  deviceId!: string;

  /** Who has to give it back. */
  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_device_returns_person' })
  personId!: string;

  /** The leave that it is asked for in. */
  @Column('uuid', { name: 'case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_device_returns_case' })
  caseId!: string | null;

  @Column('text', { default: 'asked' })
  state!: ReturnState;

  @Column('text', { name: 'asked_by' })
  askedBy!: string;

  @Column('timestamptz', { name: 'asked_at', default: () => 'now()' })
  askedAt!: Date;

  /** Where it is to go. */
  @Column('uuid', { name: 'site_id', nullable: true })
  @ForeignKey('Site', { name: 'fk_device_returns_site' })
  siteId!: string | null;

  /** As a carrier tells it. */
  @Column('text', { nullable: true })
  tracking!: string | null;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  sentAt!: Date | null;

  @Column('timestamptz', { name: 'received_at', nullable: true })
  receivedAt!: Date | null;

  @Column('text', { name: 'received_by', nullable: true })
  receivedBy!: string | null;

  @Column('uuid', { name: 'received_site_id', nullable: true })
  @ForeignKey('Site', { name: 'fk_device_returns_received_site' })
  receivedSiteId!: string | null;

  @Column('timestamptz', { name: 'inspected_at', nullable: true })
  inspectedAt!: Date | null;

  @Column('text', { name: 'inspected_by', nullable: true })
  inspectedBy!: string | null;

  @Column('text', { nullable: true })
  condition!: (typeof CONDITIONS)[number] | null;

  @Column('text', { nullable: true })
  wiped!: (typeof WIPED)[number] | null;

  /** What came with it, and what is missing. */
  @Column('text', { nullable: true })
  accessories!: string | null;

  @Column('text', { nullable: true })
  findings!: string | null;

  @Column('timestamptz', { name: 'written_off_at', nullable: true })
  writtenOffAt!: Date | null;

  @Column('text', { name: 'written_off_by', nullable: true })
  writtenOffBy!: string | null;

  /** Why it was written off. */
  @Column('text', { nullable: true })
  reason!: string | null;
}
