import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Counted } from './telemetry.js';

/** What a process has counted since it started. Rows of processes that are gone are folded into one. */
@Entity('measurements')
export class Measurement {
  @PrimaryColumn('uuid', { name: 'process_id', primaryKeyConstraintName: 'pk_measurements' })
  processId!: string;

  @Column('text')
  process!: string;

  @Column('jsonb')
  counted!: Counted;

  @Column('timestamptz', { name: 'written_at', default: () => 'now()' })
  writtenAt!: Date;
}
