import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { DeviceState } from '../devices/device-states.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { formatOf } from './key-format.js';
import { ROTATION_REASONS } from './recovery-key-rotation.entity.js';
import type { RecoveryKey } from './recovery-key.entity.js';
import { RecoveryKeysService, type KeptKey } from './recovery-keys.service.js';

export const WANTED_BECAUSE = ['none_kept', ...ROTATION_REASONS] as const;
type WantedBecause = (typeof WANTED_BECAUSE)[number];

/** A device that speaks for itself; who sends made sure that it is this one. */
interface SpeakingDevice {
  deviceId: string;
  assetTag: string;
  state: DeviceState;
  from: NonNullable<Actor['from']>;
}

/** In whoever's hands it is then, it isn't its holder's: what it escrows would take the place of a key that is good. */
const NOBODYS: readonly DeviceState[] = ['lost', 'stolen', 'found', 'retired', 'disposed'];

const ITSELF = 'the device itself';
/** Of one device: each is kept for good, so whoever has its token must not fill the disks. */
const MOST_IN_A_DAY = 20;

/** Recovery keys that a device escrows by itself. */
@Injectable()
export class DeviceKeys {
  constructor(private readonly keys: RecoveryKeysService) {}

  /**
   * @param provedAt when the device says it saw that the key unlocks: its word, not our knowledge
   * @throws Problem `invalid-request` for a wrong format; `conflict` for a device that is lost or out of use;
   * `too-many-requests`; `not-set-up`
   */
  async escrow(
    tx: EntityManager,
    { deviceId, assetTag, state, from }: SpeakingDevice,
    { key, protects, provedAt }: { key: string; protects: RecoveryKey['protects']; provedAt: Date | null },
  ): Promise<KeptKey> {
    if (NOBODYS.includes(state)) {
      throw new Problem('conflict', `This device is ${state}: it escrows nothing until somebody has it again.`);
    }
    if (formatOf(protects, key) === 'wrong') {
      const detail = `No recovery key of ${protects} looks like this. Nothing was kept.`;
      throw new Problem('invalid-request', detail, [{ pointer: '/key', detail }]);
    }
    const [sent] = await queryRows<{ keys: number }>(
      tx,
      `SELECT count(*)::int AS keys FROM recovery_keys
       WHERE device_id = $1 AND source = $2 AND kept_at > now() - interval '1 day'`,
      [deviceId, ITSELF],
    );
    if (sent && sent.keys >= MOST_IN_A_DAY) {
      throw new Problem(
        'too-many-requests',
        `This device escrowed ${MOST_IN_A_DAY} keys within a day. Find out what makes them, and come back tomorrow.`,
      );
    }
    const actor: Actor = { kind: 'service', id: deviceId, name: `the device ${assetTag}`, scopes: [], from };
    return this.keys.add(tx, actor, deviceId, { key, protects, source: ITSELF, provedAt });
  }

  /** Why it is to make a new one of this kind; null: it isn't. */
  async wantedBecause(
    tx: EntityManager,
    deviceId: string,
    protects: RecoveryKey['protects'],
  ): Promise<WantedBecause | null> {
    const [newest] = await queryRows<{ because: WantedBecause | null }>(
      tx,
      `SELECT r.because FROM recovery_keys k LEFT JOIN recovery_key_rotations r ON r.recovery_key_id = k.id
       WHERE k.device_id = $1 AND k.protects = $2 ORDER BY k.id DESC LIMIT 1`,
      [deviceId, protects],
    );
    return newest ? newest.because : 'none_kept';
  }
}
