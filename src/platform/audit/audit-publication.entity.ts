import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the log is published at one place. The place itself knows better: this is for people, and for one publisher at a time. */
@Entity('audit_publications')
@Check('ck_audit_publications_failing', '(failing_since IS NULL) = (problem IS NULL)')
@Check('ck_audit_publications_lease', '(lease_owner IS NULL) = (lease_until IS NULL)')
export class AuditPublication {
  /** Its address as it was configured. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_audit_publications' })
  target!: string;

  /** Of the newest checkpoint there. */
  @Column('bigint', { default: 0 })
  size!: number;

  /** How many witnesses have cosigned that one, as it stands there. */
  @Column('integer', { default: 0 })
  cosignatures!: number;

  @Column('timestamptz', { name: 'published_at', nullable: true })
  publishedAt!: Date | null;

  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince!: Date | null;

  @Column('text', { nullable: true })
  problem!: string | null;

  @Column('uuid', { name: 'lease_owner', nullable: true })
  leaseOwner!: string | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil!: Date | null;
}
