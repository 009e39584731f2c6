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
import { COMPUTER_MS, readComputers, type Unread } from './read-computers.js';

/** Of one conversation: few of them are new in an hour, but all on the first day. */
const AT_ONCE = 50;
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

  /** One key that can't be read keeps no other one away. @throws ToolError at the end for that, too */
  async keep(tool: Tool, escrowed: readonly EscrowedComputer[]): Promise<void> {
    if (!this.vault.isSetUp) return;
    const due = await this.due(tool, escrowed);
    const unread: Unread = { count: 0, inARow: 0, newest: null };
    for (let first = 0; first < due.length; first += AT_ONCE) {
      await this.sessions.talk(tool.id, AT_ONCE * COMPUTER_MS, async (session) => {
        const read = (one: EscrowedComputer): Promise<RevealedKey | null> => this.read(tool, one, session);
        for await (const { one, told } of readComputers(due.slice(first, first + AT_ONCE), read, unread)) {
          if (told) await inTransaction(this.db, (tx) => this.keepNews(tx, tool, one, told));
        }
      });
    }
    if (unread.newest) throw unread.newest;
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
  private async read(
    tool: Tool,
    { deviceId, computer }: EscrowedComputer,
    session: ToolSession,
  ): Promise<RevealedKey | null> {
    await inTransaction(this.db, (tx) =>
      this.audit.record(tx, SYSTEM, 'recovery-key.fetching', {
        subject: { kind: 'device', id: deviceId },
        facts: { toolId: tool.id, computerId: computer.externalId },
      }),
    );
    return revealedOf(session, computer);
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
