import { Check, Column, Entity, ForeignKey, PrimaryColumn } from 'typeorm';

export const ROTATION_REASONS = ['revealed', 'handed_back'] as const;
export type RotationReason = (typeof ROTATION_REASONS)[number];

/**
 * That a key is to be replaced at its device: somebody read it, or the holder whose disk it opened has the device no
 * more (noted by a trigger, whoever changes the holder). Asked once for each key; a newer key of the same kind ends it.
 */
@Entity('recovery_key_rotations')
@Check('ck_recovery_key_rotations_because', `because IN ('revealed', 'handed_back')`)
export class RecoveryKeyRotation {
  @PrimaryColumn('uuid', { name: 'recovery_key_id', primaryKeyConstraintName: 'pk_recovery_key_rotations' })
  @ForeignKey('RecoveryKey', { name: 'fk_recovery_key_rotations_key' })
  recoveryKeyId!: string;

  @Column('timestamptz', { name: 'asked_at', default: () => 'now()' })
  askedAt!: Date;

  @Column('text')
  because!: RotationReason;
}
