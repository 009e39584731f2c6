import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * Room for one change of a kind by a source within an hour. Whoever passes takes one that nobody took for an hour, so
 * that no two changes at the same time wait for each other, and none slips past the limit.
 */
@Entity('brake_slots')
@Index('ix_brake_slots_free', ['kind', 'source', 'usedAt'])
export class BrakeSlot {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_brake_slots' })
  id!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  source!: string;

  /** When a change last passed through it; long ago in one that was just made. */
  @Column('timestamptz', { name: 'used_at' })
  usedAt!: Date;

  /** After that the limit is asked again, since the number of people changes. */
  @Column('timestamptz', { name: 'valid_until' })
  validUntil!: Date;
}
