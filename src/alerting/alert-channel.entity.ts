import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const CHANNEL_KINDS = ['pagerduty', 'slack', 'smtp'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** A way to reach people. */
@Entity('alert_channels')
@Check('ck_alert_channels_kind', `kind IN ('pagerduty', 'slack', 'smtp')`)
@Index('ux_alert_channels_name', ['name'], { unique: true, where: 'removed_at IS NULL' })
export class AlertChannel {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_alert_channels' })
  id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  kind!: ChannelKind;

  /** No secret is in it; `channel-settings.ts` says what is. */
  @Column('jsonb')
  settings!: Record<string, unknown>;

  /** The routing key, the webhook's address or the password. */
  @Column('uuid', { name: 'secret_id', nullable: true })
  secretId!: string | null;

  /** Nothing is sent before: the provider asked for a pause, or takes one message a second. */
  @Column('timestamptz', { name: 'not_before', default: () => 'now()' })
  notBefore!: Date;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** Kept for the deliveries that name it; its secret is destroyed. */
  @Column('timestamptz', { name: 'removed_at', nullable: true })
  removedAt!: Date | null;
}
