import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { DeviceState } from './device-states.js';

/** One laptop: who has it, what it runs, where it stands in its life. */
@Entity('devices')
@Unique('uq_devices_asset_tag', ['assetTag'])
@Unique('uq_devices_serial', ['serial'])
@Check('ck_devices_state', `state IN ('in_stock', 'assigned', 'lost', 'in_repair', 'retired')`)
@Check('ck_devices_holder', `state <> 'assigned' OR holder_id IS NOT NULL`)
@Index('ix_devices_holder', ['holderId'])
export class Device {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_devices' })
  id!: string;

  @Column('text', { name: 'asset_tag' })
  assetTag!: string;

  @Column('text')
  serial!: string;

  @Column('uuid', { name: 'model_id' })
  @ForeignKey('DeviceModel', { name: 'fk_devices_model' })
  modelId!: string;

  @Column('uuid', { name: 'image_version_id', nullable: true })
  @ForeignKey('ImageVersion', { name: 'fk_devices_image_version' })
  imageVersionId!: string | null;

  /** Who has it, or, of a lost one, who had it last. */
  @Column('uuid', { name: 'holder_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_devices_holder' })
  holderId!: string | null;

  @Column('text')
  state!: DeviceState;

  @Column('timestamptz', { name: 'state_changed_at', default: () => 'now()' })
  stateChangedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
