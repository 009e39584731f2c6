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

  /** The person that answers for it. */
  @Column('uuid', { name: 'owner_person_id' })
  @ForeignKey('Person', { name: 'fk_service_principals_owner' })
  ownerPersonId!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}
