import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** An admin's signed-in browser; the cookie's token is kept only as its hash. */
@Entity('browser_sessions')
@Unique('uq_browser_sessions_hash', ['tokenHash'])
export class BrowserSession {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_browser_sessions' })
  id!: string;

  @Column('bytea', { name: 'token_hash' })
  tokenHash!: Buffer;

  @Column('text', { name: 'actor_name' })
  actorName!: string;

  @Column('text', { array: true })
  scopes!: string[];

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
