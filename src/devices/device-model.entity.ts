import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A kind of hardware: standard, or tolerated as an exception. */
@Entity('device_models')
@Unique('uq_device_models_name', ['name'])
@Check('ck_device_models_months', `lifetime_months > 0 AND warranty_months >= 0`)
export class DeviceModel {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_models' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  manufacturer!: string;

  /** Days from ordering to having another one; null: not known. */
  @Column('integer', { name: 'replacement_lead_days', nullable: true })
  replacementLeadDays!: number | null;

  /** Months from its purchase for which a device is used; null: not said. */
  @Column('integer', { name: 'lifetime_months', nullable: true })
  lifetimeMonths!: number | null;

  /** Months from its purchase for which its maker mends it; null: not said. */
  @Column('integer', { name: 'warranty_months', nullable: true })
  warrantyMonths!: number | null;

  /** False: a device of it is given out only as an exception. */
  @Column('boolean', { default: true })
  standard!: boolean;

  @Column('integer', { default: 1 })
  version!: number;
}
