import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import type { Role } from './roles.js';

/** That somebody, or a token, holds a role, from then until then, everywhere or within a department, location or tool. */
@Entity('role_assignments')
@Check('ck_role_assignments_ended', `(ended_at IS NULL) = (ended_by IS NULL)`)
@Check('ck_role_assignments_owner', `role <> 'owner' OR (department IS NULL AND location IS NULL AND tool_id IS NULL)`)
@Index('ix_role_assignments_principal', ['principal'], { where: 'ended_at IS NULL' })
// Over the narrowing without its nulls; the entity can't describe an expression.
@Index('ux_role_assignments_open', { synchronize: false })
export class RoleAssignment {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_role_assignments' })
  id!: string;

  /** An actor's id: `user:<uuid>` of somebody who signs in, or an API token's. */
  @Column('text')
  principal!: string;

  @Column('text')
  role!: Role;

  @Column('text', { nullable: true })
  department!: string | null;

  @Column('text', { nullable: true })
  location!: string | null;

  @Column('uuid', { name: 'tool_id', nullable: true })
  @ForeignKey('Tool', { name: 'fk_role_assignments_tool' })
  toolId!: string | null;

  /** Name of the actor. */
  @Column('text', { name: 'assigned_by' })
  assignedBy!: string;

  @Column('timestamptz', { name: 'assigned_at', default: () => 'now()' })
  assignedAt!: Date;

  @Column('text', { name: 'ended_by', nullable: true })
  endedBy!: string | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
