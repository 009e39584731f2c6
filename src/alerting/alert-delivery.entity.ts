import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

export type DeliveryAction = 'trigger' | 'resolve';

export const DELIVERY_STATES = ['waiting', 'sent', 'refused', 'not_needed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The outbox: one thing to tell one channel about one alert, written in the alert's own transaction. */
@Entity('alert_deliveries')
@Unique('uq_alert_deliveries_once', ['alertId', 'channelId', 'action'])
@Check('ck_alert_deliveries_action', `action IN ('trigger', 'resolve')`)
@Check('ck_alert_deliveries_state', `state IN ('waiting', 'sent', 'refused', 'not_needed')`)
@Check('ck_alert_deliveries_ended', `(state = 'waiting') = (ended_at IS NULL)`)
@Index('ix_alert_deliveries_waiting', ['channelId', 'urgency', 'nextTryAt'], { where: `state = 'waiting'` })
export class AlertDelivery {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_alert_deliveries' })
  id!: string;

  @Column('uuid', { name: 'alert_id' })
  @ForeignKey('Alert', { name: 'fk_alert_deliveries_alert' })
  alertId!: string;

  @Column('uuid', { name: 'channel_id' })
  @ForeignKey('AlertChannel', { name: 'fk_alert_deliveries_channel' })
  channelId!: string;

  @Column('text')
  action!: DeliveryAction;

  /** The place on the escalation list, from 1. */
  @Column('integer')
  level!: number;

  /** 1 is critical, 4 is info: what is urgent is sent first. */
  @Column('smallint')
  urgency!: number;

  @Column('text', { default: 'waiting' })
  state!: DeliveryState;

  /** Why this channel is told: another one failed, or nobody acted in time. It is part of the message. */
  @Column('text', { nullable: true })
  note!: string | null;

  /** Calls begun; it fences: whoever notes an outcome has to know the newest number. */
  @Column('integer', { default: 0 })
  attempts!: number;

  @Column('timestamptz', { name: 'next_try_at', default: () => 'now()' })
  nextTryAt!: Date;

  /** Somebody is sending it until then; a process that died in between is made up for after that. */
  @Column('timestamptz', { name: 'leased_until', nullable: true })
  leasedUntil!: Date | null;

  /** How the last attempt failed: words of ours, never a provider's. */
  @Column('text', { nullable: true })
  failure!: string | null;

  /** The next channel was asked to tell it as well. */
  @Column('timestamptz', { name: 'handed_on_at', nullable: true })
  handedOnAt!: Date | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
