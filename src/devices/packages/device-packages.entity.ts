import { Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** A program or package, as the system's own list has it. */
export interface Package {
  name: string;
  version: string;
  /** Which list it stands in: `deb`, `rpm`, `macos-app`, `windows-program`. */
  list: string;
}

/** What is installed on a device, all of it, as it was last seen. One row a device; older lists aren't kept. */
@Entity('device_packages')
export class DevicePackages {
  @PrimaryColumn('uuid', { name: 'device_id', primaryKeyConstraintName: 'pk_device_packages' })
  @ForeignKey('Device', { name: 'fk_device_packages_device' })
  deviceId!: string;

  /** By name, then version. */
  @Column('jsonb')
  packages!: Package[];

  @Column('text')
  source!: string;

  @Column('timestamptz', { name: 'observed_at' })
  observedAt!: Date;

  @Column('timestamptz', { name: 'recorded_at', default: () => 'now()' })
  recordedAt!: Date;
}
