import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** A place where people work, with the zone its days begin in. */
@Entity('sites')
@Unique('uq_sites_name', ['name'])
export class Site {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_sites' })
  id!: string;

  /** What an employment's `location` says. */
  @Column('text')
  name!: string;

  /** IANA zone, e.g. `Europe/Berlin`. */
  @Column('text')
  zone!: string;

  /** Where devices are sent to, as it stands on a parcel; its lines as they are. */
  @Column('text', { nullable: true })
  address!: string | null;
}
