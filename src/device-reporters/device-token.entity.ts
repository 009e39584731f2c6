import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ReportingEnd } from '../devices/reporting-ends.js';

/** With it a device's own reporter speaks for that device, and for no other. One of a device counts at a time. */
@Entity('device_tokens')
@Unique('uq_device_tokens_hash', ['tokenHash'])
@Check('ck_device_tokens_ended_because', `ended_because IN ('replaced', 'withdrawn', 'handed_back', 'retired')`)
@Index('ux_device_tokens_device', ['deviceId'], { unique: true, where: 'ended_at IS NULL' })
export class DeviceToken {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_tokens' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_tokens_device' })
  deviceId!: string;

  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  @Column('text', { name: 'made_by' })
  madeBy!: string;

  @Column('timestamptz', { name: 'made_at', default: () => 'now()' })
  madeAt!: Date;

  /** To the minute; null: never. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** Null: it isn't ended, or a version ended it that didn't say why. */
  @Column('text', { name: 'ended_because', nullable: true })
  endedBecause!: ReportingEnd | null;
}
