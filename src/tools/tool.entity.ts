import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { StoredSecrets, StoredSettings } from './stored-settings.js';

export const TOOL_STATES = ['active', 'paused', 'retired'] as const;
export type ToolState = (typeof TOOL_STATES)[number];

export const ENVIRONMENTS = ['production', 'test'] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** A configured system, e.g. "GitHub, acme org, production". */
@Entity('tools')
@Unique('uq_tools_key', ['key'])
@Check('ck_tools_environment', `environment IN ('production', 'test')`)
@Check('ck_tools_state', `state IN ('active', 'paused', 'retired')`)
@Check('ck_tools_owners', `cardinality(owners) > 0`)
export class Tool {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_tools' })
  id!: string;

  /** Its name in the access policy. */
  @Column('text')
  key!: string;

  @Column('text')
  name!: string;

  /** Id of the connector that speaks to it. */
  @Column('text')
  connector!: string;

  @Column('text')
  environment!: Environment;

  @Column('jsonb')
  settings!: StoredSettings;

  @Column('jsonb', { name: 'secret_ids', default: {} })
  secretIds!: StoredSecrets;

  @Column('boolean', { name: 'allow_private_addresses', default: false })
  allowPrivateAddresses!: boolean;

  /** What somebody did here by hand counts only when another person confirms it. */
  @Column('boolean', { name: 'requires_second_person', default: false })
  requiresSecondPerson!: boolean;

  /** Corporate addresses of those who answer for it, in the order in which they are asked. */
  @Column('text', { array: true })
  owners!: string[];

  /** Who the tool says we are; never a target of our own acts. Null: not checked yet. */
  @Column('text', { name: 'own_principal', nullable: true })
  ownPrincipal!: string | null;

  @Column('text', { default: 'active' })
  state!: ToolState;

  /** A pause ends by itself at this instant; null: when somebody resumes it. */
  @Column('timestamptz', { name: 'paused_until', nullable: true })
  pausedUntil!: Date | null;

  @Column('text', { name: 'pause_reason', nullable: true })
  pauseReason!: string | null;

  @Column('timestamptz', { name: 'checked_at', nullable: true })
  checkedAt!: Date | null;

  @Column('integer', { default: 1 })
  version!: number;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
