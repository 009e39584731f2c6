import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

/** A case whose steps a brake holds, or held. */
@Entity('braked_cases')
@Check('ck_braked_cases_outcome', `outcome IN ('held', 'released', 'discarded', 'taken_out')`)
@Check('ck_braked_cases_ended', `(outcome = 'held') = (ended_at IS NULL)`)
@Index('ix_braked_cases_held', ['personId'], { where: `outcome = 'held'` })
@Index('ix_braked_cases_brake', ['brakeId'])
export class BrakedCase {
  @PrimaryColumn('uuid', { name: 'case_id', primaryKeyConstraintName: 'pk_braked_cases' })
  @ForeignKey('Case', { name: 'fk_braked_cases_case' })
  caseId!: string;

  @Column('uuid', { name: 'brake_id' })
  @ForeignKey('Brake', { name: 'fk_braked_cases_brake' })
  brakeId!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_braked_cases_person' })
  personId!: string;

  /** `taken_out`: a newer decision about the person let it go or replaced it. */
  @Column('text', { default: 'held' })
  outcome!: 'held' | 'released' | 'discarded' | 'taken_out';

  @Column('timestamptz', { name: 'held_at', default: () => 'now()' })
  heldAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
