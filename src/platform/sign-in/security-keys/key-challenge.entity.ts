import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

/** What a browser asks of a key: a new one registers, a known one shows that its holder is there. */
export type KeyPurpose = 'register' | 'step_up';

/** What a key has to sign now: one of a session for each purpose, for minutes, and once. */
@Entity('key_challenges')
@Check('ck_key_challenges_purpose', `purpose IN ('register', 'step_up')`)
export class KeyChallenge {
  @PrimaryColumn('uuid', { name: 'session_id', primaryKeyConstraintName: 'pk_key_challenges' })
  @ForeignKey('BrowserSession', { name: 'fk_key_challenges_session' })
  sessionId!: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'pk_key_challenges' })
  purpose!: KeyPurpose;

  /** 256 random bits in base64url. */
  @Column('text')
  challenge!: string;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;
}
