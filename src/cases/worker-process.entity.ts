import { Column, Entity, Generated, Index, PrimaryColumn, Unique } from 'typeorm';
import type { Lane } from './step-states.js';

/** A worker process that is, or was, alive: the owner of leases and the maker of attempts. */
@Entity('workers')
@Unique('uq_workers_lock_key', ['lockKey'])
@Index('ix_workers_present', ['startedAt'], { where: 'gone_at IS NULL' })
@Index('ix_workers_gone', ['goneAt'], { where: 'gone_at IS NOT NULL AND left_at IS NULL' })
export class WorkerProcess {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_workers' })
  id!: string;

  @Column('text', { array: true })
  lanes!: Lane[];

  @Column('text')
  host!: string;

  @Column('integer')
  pid!: number;

  /** The advisory lock it holds on a connection of its own while it lives: PostgreSQL lets go of it when it dies. */
  @Column({ type: 'integer', name: 'lock_key', generatedIdentity: 'ALWAYS' })
  @Generated('increment')
  lockKey!: number;

  @Column('timestamptz', { name: 'started_at', default: () => 'now()' })
  startedAt!: Date;

  @Column('timestamptz', { name: 'seen_at', default: () => 'now()' })
  seenAt!: Date;

  @Column('timestamptz', { name: 'gone_at', nullable: true })
  goneAt!: Date | null;

  /** It was told to stop, and said so; one that is gone without that died. */
  @Column('timestamptz', { name: 'left_at', nullable: true })
  leftAt!: Date | null;
}
