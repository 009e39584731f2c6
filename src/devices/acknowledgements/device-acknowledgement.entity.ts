import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

export const SIGNED_HOW = ['link', 'signed_in'] as const;

/** Somebody was given a device and is asked to sign for it. Once they have, the database changes nothing of it. */
@Entity('device_acknowledgements')
@Unique('uq_device_acknowledgements_link', ['linkHash'])
@Check('ck_device_acknowledgements_how', `signed_how IN ('link', 'signed_in')`)
@Check(
  'ck_device_acknowledgements_signed',
  `(signed_at IS NULL) = (signed_by IS NULL) AND (signed_at IS NULL) = (signed_how IS NULL)`,
)
@Check('ck_device_acknowledgements_void', `signed_at IS NULL OR void_at IS NULL`)
@Index('ix_device_acknowledgements_device', ['deviceId'])
@Index('ix_device_acknowledgements_person', ['personId'])
@Index('ix_device_acknowledgements_unsigned', ['askedAt'], { where: 'signed_at IS NULL AND void_at IS NULL' })
export class DeviceAcknowledgement {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'pk_device_acknowledgements' })
  id!: string;

  @Column('uuid', { name: 'device_id' })
  @ForeignKey('Device', { name: 'fk_device_acknowledgements_device' })
  deviceId!: string;

  @Column('uuid', { name: 'person_id' })
  @ForeignKey('Person', { name: 'fk_device_acknowledgements_person' })
  personId!: string;

  @Column('text', { name: 'text_sha256' })
  @ForeignKey('AcknowledgementText', { name: 'fk_device_acknowledgements_text' })
  textSha256!: string;

  @Column('text', { name: 'asked_by' })
  askedBy!: string;

  @Column('timestamptz', { name: 'asked_at', default: () => 'now()' })
  askedAt!: Date;

  /** SHA-256 of the token in the newest link; null: none was made yet. */
  @Column('bytea', { name: 'link_hash', nullable: true })
  linkHash!: Buffer | null;

  @Column('timestamptz', { name: 'link_expires_at', nullable: true })
  linkExpiresAt!: Date | null;

  @Column('timestamptz', { name: 'signed_at', nullable: true })
  signedAt!: Date | null;

  /** Their name, or that it was whoever held the link. */
  @Column('text', { name: 'signed_by', nullable: true })
  signedBy!: string | null;

  @Column('text', { name: 'signed_how', nullable: true })
  signedHow!: (typeof SIGNED_HOW)[number] | null;

  /** The address of the network; behind a proxy, as the proxy tells it. */
  @Column('text', { name: 'signed_from', nullable: true })
  signedFrom!: string | null;

  /** When the device went back before they signed. */
  @Column('timestamptz', { name: 'void_at', nullable: true })
  voidAt!: Date | null;
}
