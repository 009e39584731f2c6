import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** A limit that somebody changed; one that nobody changed is the default of `decide-brake.ts`. */
@Entity('brake_limits')
@Check('ck_brake_limits_at_least', `at_least >= 0`)
@Check('ck_brake_limits_share', `share_percent BETWEEN 0 AND 100`)
export class BrakeLimit {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_brake_limits' })
  kind!: string;

  @Column('integer', { name: 'at_least' })
  atLeast!: number;

  @Column('integer', { name: 'share_percent' })
  sharePercent!: number;

  @Column('timestamptz', { name: 'changed_at', default: () => 'now()' })
  changedAt!: Date;

  @Column('text', { name: 'changed_by' })
  changedBy!: string;
}
