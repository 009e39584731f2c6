import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { DeviceState } from './device-states.js';

/** One laptop: who has it, what it runs, where it stands in its life. */
@Entity('devices')
@Unique('uq_devices_asset_tag', ['assetTag'])
@Unique('uq_devices_serial', ['serial'])
@Check(
  'ck_devices_state',
  `state IN ('ordered', 'in_stock', 'reserved', 'assigned', 'in_repair', 'lost', 'stolen', 'found', 'retired', 'disposed')`,
)
@Check('ck_devices_holder', `state <> 'assigned' OR holder_id IS NOT NULL`)
@Check('ck_devices_reserved', `(state = 'reserved') = (reserved_for_id IS NOT NULL)`)
@Index('ix_devices_holder', ['holderId'])
@Index('ix_devices_on_the_shelf', ['modelId', 'siteId'], { where: `state = 'in_stock'` })
@Index('ix_devices_reserved_for', ['reservedForId'], { where: 'reserved_for_id IS NOT NULL' })
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

  /** Where it is, or where whoever has it works; null: not said. */
  @Column('uuid', { name: 'site_id', nullable: true })
  @ForeignKey('Site', { name: 'fk_devices_site' })
  siteId!: string | null;

  @Column('date', { name: 'purchased_on', nullable: true })
  purchasedOn!: string | null;

  /** The last day on which its maker mends it. */
  @Column('date', { name: 'warranty_until', nullable: true })
  warrantyUntil!: string | null;

  /** False: found faulty, and nothing to give out. */
  @Column('boolean', { default: true })
  working!: boolean;

  /** Who has it, or, of one that was lost, who had it last. */
  @Column('uuid', { name: 'holder_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_devices_holder' })
  holderId!: string | null;

  /** Whom it is kept for. */
  @Column('uuid', { name: 'reserved_for_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_devices_reserved_for' })
  reservedForId!: string | null;

  /** The loss that it is to replace a device in, when that is why it is kept. */
  @Column('uuid', { name: 'reserved_for_case_id', nullable: true })
  @ForeignKey('Case', { name: 'fk_devices_reserved_for_case' })
  reservedForCaseId!: string | null;

  @Column('text')
  state!: DeviceState;

  @Column('timestamptz', { name: 'state_changed_at', default: () => 'now()' })
  stateChangedAt!: Date;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
