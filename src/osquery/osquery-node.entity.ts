import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { ReportingEnd } from '../devices/reporting-ends.js';

const LIVE = { unique: true, where: 'ended_at IS NULL' } as const;

/** One enrolled agent. While it isn't ended, nothing else enrols with its hardware id, its serial or for its device. */
@Entity('osquery_nodes')
@Unique('uq_osquery_nodes_key', ['keyHash'])
@Check('ck_osquery_nodes_ended_because', `ended_because IN ('replaced', 'withdrawn', 'handed_back', 'retired')`)
@Index('ux_osquery_nodes_hardware_uuid', ['hardwareUuid'], LIVE)
@Index('ux_osquery_nodes_serial', ['serial'], LIVE)
@Index('ux_osquery_nodes_device_id', ['deviceId'], LIVE)
export class OsqueryNode {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_osquery_nodes' })
  id!: string;

  @Column('bytea', { name: 'key_hash' })
  keyHash!: Buffer;

  @Column('uuid', { name: 'secret_id' })
  @ForeignKey('EnrolmentSecret', { name: 'fk_osquery_nodes_secret' })
  secretId!: string;

  /** Null: no device has this serial, or the machine told none. Somebody says which device it is. */
  @Column('uuid', { name: 'device_id', nullable: true })
  @ForeignKey('Device', { name: 'fk_osquery_nodes_device' })
  deviceId!: string | null;

  @Column('text', { name: 'host_identifier' })
  hostIdentifier!: string;

  @Column('text', { name: 'hardware_uuid', nullable: true })
  hardwareUuid!: string | null;

  @Column('text', { nullable: true })
  serial!: string | null;

  @Column('text', { nullable: true })
  hostname!: string | null;

  @Column('text', { nullable: true })
  os!: string | null;

  @Column('text', { name: 'agent_version', nullable: true })
  agentVersion!: string | null;

  @Column('timestamptz', { name: 'enrolled_at', default: () => 'now()' })
  enrolledAt!: Date;

  /** Last check-in, to the minute; null: its key was never used. */
  @Column('timestamptz', { name: 'last_seen_at', nullable: true })
  lastSeenAt!: Date | null;

  /** When the log of observations last heard that it is online. */
  @Column('timestamptz', { name: 'online_noted_at', nullable: true })
  onlineNotedAt!: Date | null;

  /** Since when an answer is wanted at once; null: none is. */
  @Column('timestamptz', { name: 'asked_at', nullable: true })
  askedAt!: Date | null;

  @Column('timestamptz', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;

  /** Null: it isn't ended, or a version ended it that didn't say why. */
  @Column('text', { name: 'ended_because', nullable: true })
  endedBecause!: ReportingEnd | null;
}
