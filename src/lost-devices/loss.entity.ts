import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { Containment } from './runbook/runbook-schema.js';

export const AWAKE = ['yes', 'no', 'unknown'] as const;
export const ASSESSMENTS = ['notify', 'no_notification'] as const;
export type Assessment = (typeof ASSESSMENTS)[number];

/** What could be reached from the machine when it was reported. */
export interface ReachableAccount {
  /** Missing in what an older version wrote. */
  accountId?: string;
  tool: string;
  username: string;
  observed: string;
  observedAt: string | null;
  /** Sessions, tokens and keys that the tool showed alive; null: it can't show them. */
  liveSessions: number | null;
  /** What signs in there and was good, of this machine or of any. */
  credentials: { kind: string; ofThisDevice: boolean }[];
}

/** What is said and decided of a lost machine, beside the case that cuts its holder's access. */
@Entity('losses')
@Check('ck_losses_awake', `awake IN ('yes', 'no', 'unknown')`)
@Check('ck_losses_containment', `containment IN ('lock', 'wipe', 'leave')`)
@Check(
  'ck_losses_contained',
  `(containment IS NULL) = (contained_at IS NULL) AND (containment IS NULL) = (contained_by IS NULL)
      AND (containment IS NULL) = (containment_reason IS NULL) AND (containment IS NULL) = (proposal IS NULL)`,
)
@Check('ck_losses_assessment', `assessment IN ('notify', 'no_notification')`)
@Check(
  'ck_losses_assessed',
  `(assessment IS NULL) = (assessed_at IS NULL) AND (assessment IS NULL) = (assessed_by IS NULL)
      AND (assessment IS NULL) = (assessment_reason IS NULL) AND (assessment IS NULL) = (worksheet IS NULL)`,
)
@Index('ix_losses_device', ['deviceId'])
@Index('ix_losses_watched', ['watchUntil'])
export class Loss {
  @PrimaryColumn('uuid', { name: 'case_id', primaryKeyConstraintName: 'pk_losses' })
  @ForeignKey('Case', { name: 'fk_losses_case' })
  caseId!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_losses_device' })
  deviceId!: string;

  /** Null: none had been activated when it was reported. */
  @Column('uuid', { name: 'runbook_version_id', nullable: true })
  @ForeignKey('RunbookVersion', { name: 'fk_losses_runbook_version' })
  runbookVersionId!: string | null;

  /** The holder's accounts with what was live there, as last seen before the report. */
  @Column('jsonb')
  reachable!: ReachableAccount[];

  /** The machine was away already: this is another report of the loss before it, whose orders still count. */
  @Column('boolean', { default: false })
  continues!: boolean;

  /** When somebody in the company came to know of it: the clock of the breach assessment runs from here. */
  @Column('timestamptz', { name: 'aware_at', default: () => 'now()' })
  awareAt!: Date;

  /** Whether it was awake and unlocked when it was lost, as people say. */
  @Column('text', { default: 'unknown' })
  awake!: (typeof AWAKE)[number];

  @Column('boolean', { name: 'legal_hold', default: false })
  legalHold!: boolean;

  @Column('text', { name: 'police_reference', nullable: true })
  policeReference!: string | null;

  @Column('text', { name: 'insurance_reference', nullable: true })
  insuranceReference!: string | null;

  @Column('text', { nullable: true })
  containment!: Containment | null;

  @Column('text', { name: 'containment_reason', nullable: true })
  containmentReason!: string | null;

  /** What the service proposed when it was decided. */
  @Column('jsonb', { nullable: true })
  proposal!: Record<string, unknown> | null;

  @Column('text', { name: 'contained_by', nullable: true })
  containedBy!: string | null;

  @Column('timestamptz', { name: 'contained_at', nullable: true })
  containedAt!: Date | null;

  @Column('text', { nullable: true })
  assessment!: Assessment | null;

  @Column('text', { name: 'assessment_reason', nullable: true })
  assessmentReason!: string | null;

  /** As it was when it was decided. */
  @Column('jsonb', { nullable: true })
  worksheet!: Record<string, unknown> | null;

  @Column('text', { name: 'assessed_by', nullable: true })
  assessedBy!: string | null;

  @Column('timestamptz', { name: 'assessed_at', nullable: true })
  assessedAt!: Date | null;

  @Column('timestamptz', { name: 'watch_until' })
  watchUntil!: Date;

  /** The newest observation of it that people were told of. */
  @Column('timestamptz', { name: 'last_sign_at', nullable: true })
  lastSignAt!: Date | null;
}
