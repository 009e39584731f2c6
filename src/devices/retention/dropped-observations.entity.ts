import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * A device of which observations were dropped. No foreign key: checking one would make a loss that is reported at that
 * moment wait, and no device is ever deleted.
 */
@Entity('dropped_observations')
export class DroppedObservations {
  @PrimaryColumn('uuid', { name: 'device_id', primaryKeyConstraintName: 'pk_dropped_observations' })
  deviceId!: string;

  /** What was known at any time from then on can still be told; of a time before it can't. */
  @Column('timestamptz', { name: 'kept_from' })
  keptFrom!: Date;
}
