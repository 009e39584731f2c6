import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

export const ALERT_SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** Something a person must know of. Its owner is never the subject of the case it comes from. */
@Entity('alerts')
@Check('ck_alerts_severity', `severity IN ('critical', 'error', 'warning', 'info')`)
@Index('ux_alerts_open', ['dedupKey'], { unique: true, where: 'resolved_at IS NULL' })
export class Alert {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_alerts' })
  id!: string;

  /** At most one open alert has it: the same trouble again raises no second one. */
  @Column('text', { name: 'dedup_key' })
  dedupKey!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  severity!: AlertSeverity;

  @Column('text')
  owner!: string;

  @Column('text')
  message!: string;

  @Column('uuid', { name: 'step_id', nullable: true })
  @ForeignKey('Step', { name: 'fk_alerts_step' })
  stepId!: string | null;

  @Column('uuid', { name: 'tool_id', nullable: true })
  @ForeignKey('Tool', { name: 'fk_alerts_tool' })
  toolId!: string | null;

  @Column('timestamptz', { name: 'raised_at', default: () => 'now()' })
  raisedAt!: Date;

  @Column('timestamptz', { name: 'resolved_at', nullable: true })
  resolvedAt!: Date | null;
}
