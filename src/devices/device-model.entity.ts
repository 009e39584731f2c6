import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** Standard hardware. */
@Entity('device_models')
@Unique('uq_device_models_name', ['name'])
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
}
