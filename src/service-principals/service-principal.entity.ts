import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

/** A program of the company's that calls the API: its tokens go on when its owner leaves, under a new owner. */
@Entity('service_principals')
@Unique('uq_service_principals_name', ['name'])
@Index('ix_service_principals_owner', ['ownerPersonId'])
export class ServicePrincipal {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_service_principals' })
  id!: string;

  @Column('text')
  name!: string;

  /** The person that answers for it; nobody yet, of one that was made at the terminal before there were people. */
  @Column('uuid', { name: 'owner_person_id', nullable: true })
  @ForeignKey('Person', { name: 'fk_service_principals_owner' })
  ownerPersonId!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
