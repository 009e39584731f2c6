import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** How many spares of a model a site should have. */
@Entity('device_model_minimums')
@Check('ck_device_model_minimums_minimum', `minimum > 0`)
export class DeviceModelMinimum {
  @PrimaryColumn('uuid', { name: 'model_id', primaryKeyConstraintName: 'pk_device_model_minimums' })
  @ForeignKey('DeviceModel', { name: 'fk_device_model_minimums_model' })
  modelId!: string;

  @PrimaryColumn('uuid', { name: 'site_id', primaryKeyConstraintName: 'pk_device_model_minimums' })
  @ForeignKey('Site', { name: 'fk_device_model_minimums_site' })
  siteId!: string;

  @Column('integer')
  minimum!: number;
}
