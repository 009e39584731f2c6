import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far back observations are kept: one row, made by its migration. */
@Entity('observation_retention')
@Check('ck_observation_retention_single', 'id = 1')
export class ObservationRetention {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'pk_observation_retention' })
  id!: number;

  /** What was seen and recorded before may be dropped; the database refuses to delete anything else. It never goes back. */
  @Column('timestamptz', { name: 'kept_from', default: () => `'-infinity'` })
  keptFrom!: Date;

  /** When the next round is due. */
  @Column('timestamptz', { name: 'next_at' })
  nextAt!: Date;
}
