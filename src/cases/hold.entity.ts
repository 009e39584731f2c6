import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { HoldReason } from './step-states.js';

export const HOLD_SUBJECTS = ['person', 'account', 'device'] as const;
export type HoldSubject = (typeof HOLD_SUBJECTS)[number];

/** Why a person, an account or a device must be without access. Only its own release ends it. */
@Entity('holds')
@Check('ck_holds_subject', `subject IN ('person', 'account', 'device')`)
@Check('ck_holds_reason', `reason IN ('leaver', 'lost_device')`)
@Check('ck_holds_released', `(released_at IS NULL) = (released_case_id IS NULL)`)
@Index('ix_holds_standing', ['personId'], { where: 'released_at IS NULL' })
export class Hold {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_holds' })
  id!: string;

  @Column('text')
  subject!: HoldSubject;

  /** Whose access it is, also when the subject is one account or one device of theirs. */
  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_holds_person' })
  personId!: string;

  @Column('uuid', { name: 'account_id', nullable: true })
  @ForeignKey('Account', { name: 'fk_holds_account' })
  accountId!: string | null;

  @Column('uuid', { name: 'device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_holds_device' })
  deviceId!: string | null;

  @Column('text')
  reason!: HoldReason;

  /** The case that placed it. */
  @Column('uuid', { name: 'case_id' })
  @ForeignKey('Case', { name: 'fk_holds_case' })
  caseId!: string;

  @Column('timestamptz', { name: 'placed_at', default: () => 'now()' })
  placedAt!: Date;

  @Column('timestamptz', { name: 'released_at', nullable: true })
  releasedAt!: Date | null;

  @Column('text', { name: 'released_by', nullable: true })
  releasedBy!: string | null;

  @Column('uuid', { name: 'released_case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_holds_released_case' })
  releasedCaseId!: string | null;
}
