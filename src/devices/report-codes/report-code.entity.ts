import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** With it somebody reports the loss of their laptop themselves, from any telephone. One is good at a time. */
@Entity('report_codes')
@Unique('uq_report_codes_code', ['codeHash'])
@Check('ck_report_codes_used', `used_at IS NULL OR ended_at IS NOT NULL`)
@Index('ux_report_codes_good', ['personId'], { unique: true, where: 'ended_at IS NULL' })
export class ReportCode {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_report_codes' })
  id!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_report_codes_person' })
  personId!: string;

  /** SHA-256 of the code without its hyphens. */
  @Column('bytea', { name: 'code_hash' })
  codeHash!: Buffer;

  @Column('text', { name: 'given_by' })
  givenBy!: string;

  @Column('timestamptz', { name: 'given_at', default: () => 'now()' })
  givenAt!: Date;

  /** When a newer one was given, or it was used. */
  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt!: Date | null;
}
