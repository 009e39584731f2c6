import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const LOSS_REPORT_STATES = ['waiting', 'confirmed', 'dismissed'] as const;
/** How it was found out that they are who they say: never by what the lost laptop could have told. */
export const CONFIRMED_HOW = ['called_back', 'in_person', 'vouched'] as const;

/** Somebody who couldn't prove who they are says that their laptop is lost. Nothing is cut until somebody of IT confirms it. */
@Entity('loss_reports')
@Check('ck_loss_reports_state', `state IN ('waiting', 'confirmed', 'dismissed')`)
@Check('ck_loss_reports_how', `confirmed_how IN ('called_back', 'in_person', 'vouched')`)
@Check(
  'ck_loss_reports_decided',
  `(state = 'waiting') = (decided_at IS NULL)
          AND (decided_at IS NULL) = (decided_by IS NULL)
          AND (state = 'confirmed') = (case_id IS NOT NULL) AND (case_id IS NULL) = (confirmed_how IS NULL)`,
)
@Check(
  'ck_loss_reports_erased',
  `erased_at IS NULL OR (state <> 'waiting' AND email = ''
          AND COALESCE(phone, words, from_address, reason) IS NULL)`,
)
@Index('ux_loss_reports_waiting', ['email'], { unique: true, where: `state = 'waiting'` })
export class LossReport {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_loss_reports' })
  id!: string;

  /** As they typed it, in lower case; nobody looked yet whether it is anybody's. Empty once it is erased. */
  @Column('text')
  email!: string;

  @Column('text', { name: 'asset_tag', nullable: true })
  assetTag!: string | null;

  /** Where they say that they can be called; what was said first stands first. */
  @Column('text', { nullable: true })
  phone!: string | null;

  /** In lines: what was said first, and what was said otherwise since then, with the address that it came from. */
  @Column('text', { nullable: true })
  words!: string | null;

  /** Of the network that it came from. */
  @Column('text', { name: 'from_address', nullable: true })
  fromAddress!: string | null;

  /** How often it was said while it waited. */
  @Column('integer', { default: 1 })
  times!: number;

  @Column('timestamptz', { name: 'reported_at', default: () => 'now()' })
  reportedAt!: Date;

  @Column('text', { default: 'waiting' })
  state!: (typeof LOSS_REPORT_STATES)[number];

  @Column('text', { name: 'confirmed_how', nullable: true })
  confirmedHow!: (typeof CONFIRMED_HOW)[number] | null;

  @Column('uuid', { name: 'case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_loss_reports_case' })
  caseId!: string | null;

  @Column('timestamptz', { name: 'decided_at', nullable: true })
  decidedAt!: Date | null;

  @Column('text', { name: 'decided_by', nullable: true })
  decidedBy!: string | null;

  /** Why it was dismissed, or what was learnt in confirming it. */
  @Column('text', { nullable: true })
  reason!: string | null;

  /** When what people told, and wrote of it, was erased. */
  @Column('timestamptz', { name: 'erased_at', nullable: true })
  erasedAt!: Date | null;
}

/** Of the alert that tells of it. */
export function alertKey(id: string): string {
  return `loss_reported:${id}`;
}
