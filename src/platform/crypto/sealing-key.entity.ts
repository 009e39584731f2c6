import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** `standard` keys open in every process; a `recovery` key seals everywhere and opens where its identity is. */
export type KeyRing = 'standard' | 'recovery';

/** `current` seals and opens, `opening` only opens, `retired` has nothing under it and never will. */
export type SealingKeyState = 'current' | 'opening' | 'retired';

/** A key that wraps data keys. */
@Entity('sealing_keys')
@Check('ck_sealing_keys_ring', `ring IN ('standard', 'recovery')`)
@Check('ck_sealing_keys_state', `state IN ('current', 'opening', 'retired')`)
@Check('ck_sealing_keys_retired', `(state = 'retired') = (retired_at IS NOT NULL)`)
@Index('ux_sealing_keys_current', ['ring'], { unique: true, where: `(state = 'current'::text)` })
export class SealingKey {
  /** The first 32 hex digits of SHA-256 over it; each secret names the one that it is sealed under. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_sealing_keys' })
  fingerprint!: string;

  @Column('text')
  ring!: KeyRing;

  /** What wrapped it. */
  @Column('text')
  provider!: string;

  /** Which of the provider's keys did. */
  @Column('text', { name: 'key_name' })
  keyName!: string;

  /** Null: it stands nowhere in the database, since it is the key in the installation's file, or a recovery key. */
  @Column('bytea', { nullable: true })
  wrapped!: Buffer | null;

  @Column('text')
  state!: SealingKeyState;

  @Column('timestamptz', { name: 'made_at', default: () => 'now()' })
  madeAt!: Date;

  @Column('timestamptz', { name: 'retired_at', nullable: true })
  retiredAt!: Date | null;
}
