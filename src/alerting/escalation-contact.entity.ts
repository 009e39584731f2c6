import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** Somebody on the escalation list: who is told, in which ways, and how long an alert may stay open with them. */
@Entity('escalation_contacts')
@Check('ck_escalation_contacts_wait', 'wait_seconds > 0')
export class EscalationContact {
  /** The place on the list, from 1. */
  @PrimaryColumn('integer', { primaryKeyConstraintName: 'pk_escalation_contacts' })
  level!: number;

  @Column('text')
  name!: string;

  /** The first that works is used. */
  @Column('uuid', { name: 'channel_ids', array: true })
  channelIds!: string[];

  @Column('integer', { name: 'wait_seconds' })
  waitSeconds!: number;
}
