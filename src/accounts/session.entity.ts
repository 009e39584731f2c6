import { Check, Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

export const SESSION_STATES = ['live', 'ended'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** A live connection or sign-in that the tool showed with an id of its own. */
@Entity('sessions')
@Unique('uq_sessions_external_id', ['accountId', 'externalId'])
@Check('ck_sessions_state', `state IN ('live', 'ended')`)
export class Session {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sessions' })
  id!: string;

  @Column('uuid', { name: 'account_id' })
  @ForeignKey('Account', { name: 'fk_sessions_account' })
  accountId!: string;

  @Column('text', { name: 'external_id' })
  externalId!: string;

  @Column('text')
  state!: SessionState;

  @Column('timestamptz', { name: 'first_seen_at' })
  firstSeenAt!: Date;

  @Column('timestamptz', { name: 'last_seen_at' })
  lastSeenAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
