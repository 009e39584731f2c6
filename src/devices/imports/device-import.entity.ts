import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { PlannedLine } from './plan-import.js';

/** A file with devices, as it was understood, and whether it was applied. */
@Entity('device_imports')
@Check('ck_device_imports_applied', `(applied_by IS NULL) = (applied_at IS NULL)`)
export class DeviceImport {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_imports' })
  id!: string;

  /** Of the file's bytes, in lower-case hex. */
  @Column('text')
  sha256!: string;

  @Column('jsonb')
  lines!: PlannedLine[];

  @Column('text', { name: 'made_by' })
  madeBy!: string;

  @Column('timestamptz', { name: 'made_at', default: () => 'now()' })
  madeAt!: Date;

  @Column('text', { name: 'applied_by', nullable: true })
  appliedBy!: string | null;

  @Column('timestamptz', { name: 'applied_at', nullable: true })
  appliedAt!: Date | null;
}
