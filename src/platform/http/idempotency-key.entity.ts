import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What a caller's Idempotency-Key stood for, and the answer it got. */
@Entity('idempotency_keys')
export class IdempotencyKey {
  @PrimaryColumn('text', { name: 'actor_id', primaryKeyConstraintName: 'pk_idempotency_keys' })
  actorId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_idempotency_keys' })
  key!: string;

  @Column('text')
  route!: string;

  @Column('bytea', { name: 'body_digest' })
  bodyDigest!: Buffer;

  /** While it is ahead, the request is being worked on; a process that died leaves it behind. */
  @Column('timestamptz', { name: 'locked_until', nullable: true })
  lockedUntil!: Date | null;

  @Column('integer', { nullable: true })
  status!: number | null;

  @Column('jsonb', { nullable: true })
  response!: unknown;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
