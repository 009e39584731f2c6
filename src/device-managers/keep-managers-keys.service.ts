import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { methodOf } from '../../connectors/kit/capabilities.js';
import type { ObservedComputer, RevealedKey, ToolSession } from '../../connectors/kit/contract.js';
import { ToolError } from '../../connectors/kit/errors.js';
import { Device } from '../devices/device.entity.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { RecoveryVault } from '../platform/crypto/recovery-vault.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { SYSTEM } from '../platform/sign-in/actor.js';
import { RecoveryKeysService } from '../recovery-keys/recovery-keys.service.js';
import { ToolSessions } from '../tools/tool-sessions.service.js';
import type { Tool } from '../tools/tool.entity.js';
import { DeviceManagerKey } from './device-manager-key.entity.js';

/** Milliseconds for the keys of one conversation. */
const KEYS_MS = 60_000;
/** Of one conversation: few of them are new in an hour, but all on the first day. */
const AT_ONCE = 100;
/** Of PostgreSQL. A manager doesn't say that a key is another one; one that was asked to be replaced soon is. */
const [AGAIN, AGAIN_WHEN_ASKED] = ['7 days', '1 day'];

/** A computer that is a device of ours and whose manager has a key for it that is to be kept here too. */
export interface EscrowedComputer {
  deviceId: string;
  computer: ObservedComputer & { serial: string; recoveryKey: NonNullable<ObservedComputer['recoveryKey']> };
}

/** Takes over the recovery keys that device managers escrow: one by one, each sealed at once where nobody here can open it. */
@Injectable()
export class KeepManagersKeys {
  constructor(
    private readonly db: DataSource,
    private readonly sessions: ToolSessions,
    private readonly vault: RecoveryVault,
    private readonly keys: RecoveryKeysService,
    private readonly audit: AuditService,
  ) {}

  /** @throws ToolError */
  async keep(tool: Tool, escrowed: readonly EscrowedComputer[]): Promise<void> {
    if (!this.vault.isSetUp) return;
    const due = await this.due(tool, escrowed);
    for (let first = 0; first < due.length; first += AT_ONCE) {
      await this.sessions.talk(tool.id, KEYS_MS, async (session) => {
        for (const one of due.slice(first, first + AT_ONCE)) await this.keepOne(tool, one, session);
      });
    }
  }

  private async due({ id }: Tool, escrowed: readonly EscrowedComputer[]): Promise<EscrowedComputer[]> {
    const fresh = await queryRows<{ computerId: string }>(
      this.db,
      `SELECT k.computer_id AS "computerId" FROM device_manager_keys k
       LEFT JOIN recovery_key_rotations r ON r.recovery_key_id = k.recovery_key_id
       WHERE k.tool_id = $1 AND k.computer_id = ANY($2)
         AND k.read_at > now() - CASE WHEN r.asked_at IS NULL THEN $3::interval ELSE $4::interval END`,
      [id, escrowed.map(({ computer }) => computer.externalId), AGAIN, AGAIN_WHEN_ASKED],
    );
    const known = new Set(fresh.map(({ computerId }) => computerId));
    return escrowed.filter(({ computer }) => !known.has(computer.externalId));
  }

  /** That it is read is written down before; the manager writes that into its own log, too. */
  private async keepOne(tool: Tool, escrowed: EscrowedComputer, session: ToolSession): Promise<void> {
    const { deviceId, computer } = escrowed;
    await inTransaction(this.db, (tx) =>
      this.audit.record(tx, SYSTEM, 'recovery-key.fetching', {
        subject: { kind: 'device', id: deviceId },
        facts: { toolId: tool.id, computerId: computer.externalId },
      }),
    );
    const revealed = await revealedOf(session, computer);
    if (revealed) await inTransaction(this.db, (tx) => this.keepNews(tx, tool, escrowed, revealed));
  }

  private async keepNews(
    tx: EntityManager,
    tool: Tool,
    { deviceId, computer }: EscrowedComputer,
    { key, storedAt }: RevealedKey,
  ): Promise<void> {
    // As it is now, not as it was when the page came: no key for another serial number.
    if (!(await tx.existsBy(Device, { id: deviceId, serial: computer.serial }))) return;
    const place = { toolId: tool.id, computerId: computer.externalId };
    const before = await tx.findOneBy(DeviceManagerKey, place);
    if (before && (storedAt === null || storedAt.getTime() === before.storedAt?.getTime())) {
      await tx.update(DeviceManagerKey, place, { readAt: () => 'now()' });
      return;
    }
    const kept = await this.keys.keep(tx, SYSTEM, deviceId, { key, protects: computer.recoveryKey, source: tool.key });
    const row = { recoveryKeyId: kept.id, storedAt, readAt: () => 'now()' };
    if (before) await tx.update(DeviceManagerKey, place, row);
    else await tx.insert(DeviceManagerKey, { ...place, ...row });
  }
}

/** Null: the manager has none (any more) that it can open. */
async function revealedOf(session: ToolSession, { externalId }: ObservedComputer): Promise<RevealedKey | null> {
  try {
    return await methodOf(session, 'revealRecoveryKey')(externalId);
  } catch (error) {
    if (error instanceof ToolError && error.kind === 'not-found') return null;
    throw error;
  }
}
