import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** An HR system that may post events. Two secrets may be active while one replaces the other. */
@Entity('hr_sources')
@Check('ck_hr_sources_secrets', `cardinality(secret_ids) BETWEEN 1 AND 2`)
export class HrSource {
  /** The last part of its webhook's address, `/hooks/hr/<name>`. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_hr_sources' })
  name!: string;

  @Column('uuid', { name: 'secret_ids', array: true })
  secretIds!: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
