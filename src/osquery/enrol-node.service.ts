import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { inTransaction } from '../platform/database/transaction.js';
import { newId } from '../platform/ids/new-id.js';
import type { Actor, Origin } from '../platform/sign-in/actor.js';
import { hashToken, newSecretToken } from '../platform/sign-in/secret-token.js';
import { duplicateKey } from './duplicate-key.js';
import { usableSerial, usableUuid } from './hardware-ids.js';

/** What an agent says of its machine. Nothing of it is proved: who has a batch's secret may say anything. */
export interface Machine {
  hostIdentifier: string;
  hardwareUuid: string | undefined;
  serial: string | undefined;
  hostname: string | undefined;
  os: string | undefined;
  agentVersion: string | undefined;
}

/** The node's key, shown this once; or why there is none, for our log and not for the caller. */
export type Enrolled =
  { nodeKey: string } | { refused: 'unknown secret' | 'ended secret' | 'spent secret' | 'duplicate' };

interface Live {
  id: string;
  secret_id: string;
  hardware_uuid: string | null;
  serial: string | null;
  hostname: string | null;
  device_id: string | null;
  unused: boolean;
}

/** Takes an agent in. A machine that is enrolled already is refused and told of; two are never made into one. */
@Injectable()
export class EnrolNode {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
  ) {}

  async enrol(secret: string, machine: Machine, from: Origin): Promise<Enrolled> {
    return inTransaction(this.db, async (tx) => {
      const [batch] = await queryRows<{ id: string; name: string; open: boolean; spent: boolean }>(
        tx,
        `SELECT id, name, revoked_at IS NULL AND expires_at > now() AS open, used >= uses AS spent
         FROM osquery_enrolment_secrets WHERE secret_hash = $1 FOR UPDATE`,
        [hashToken(secret)],
      );
      if (!batch) return { refused: 'unknown secret' };
      if (!batch.open) return { refused: 'ended secret' };
      const hardwareUuid = usableUuid(machine.hardwareUuid);
      const serial = usableSerial(machine.serial);
      const deviceId = await deviceWith(tx, serial);
      const live = await this.live(tx, hardwareUuid, serial, deviceId);
      // The answer to its enrolment was lost: its key was never used, nobody has it, and its use is counted already.
      const isAgain = (one: Live): boolean =>
        one.unused && one.secret_id === batch.id && one.hardware_uuid === hardwareUuid && one.serial === serial;
      if (batch.spent && !live.some(isAgain)) return { refused: 'spent secret' };
      const others = live.filter((one) => !isAgain(one));
      if (others.length > 0) {
        for (const other of others) await this.tellOfDuplicate(tx, other, machine);
        return { refused: 'duplicate' };
      }
      for (const { id } of live) {
        await tx.query(`UPDATE osquery_nodes SET ended_at = now(), ended_because = 'replaced' WHERE id = $1`, [id]);
      }
      if (live.length === 0) {
        await tx.query(`UPDATE osquery_enrolment_secrets SET used = used + 1 WHERE id = $1`, [batch.id]);
      }
      const node = { ...machine, hardwareUuid, serial, deviceId, secretId: batch.id };
      return { nodeKey: await this.takeIn(tx, node, batch, from) };
    });
  }

  private async live(
    tx: EntityManager,
    hardwareUuid: string | null,
    serial: string | null,
    deviceId: string | null,
  ): Promise<Live[]> {
    return queryRows<Live>(
      tx,
      `SELECT id, secret_id, hardware_uuid, serial, hostname, device_id, last_seen_at IS NULL AS unused FROM osquery_nodes
       WHERE ended_at IS NULL AND (hardware_uuid = $1 OR serial = $2 OR device_id = $3) ORDER BY id FOR UPDATE`,
      [hardwareUuid, serial, deviceId],
    );
  }

  private async takeIn(
    tx: EntityManager,
    node: Omit<Machine, 'hardwareUuid' | 'serial'> & {
      hardwareUuid: string | null;
      serial: string | null;
      deviceId: string | null;
      secretId: string;
    },
    batch: { id: string; name: string },
    from: Origin,
  ): Promise<string> {
    const id = newId();
    const nodeKey = newSecretToken();
    // Asked at once, so that something is known of it within a minute.
    await tx.query(
      `INSERT INTO osquery_nodes (id, key_hash, secret_id, device_id, host_identifier, hardware_uuid, serial, hostname, os, agent_version, asked_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())`,
      [
        id,
        hashToken(nodeKey),
        node.secretId,
        node.deviceId,
        node.hostIdentifier,
        node.hardwareUuid,
        node.serial,
        node.hostname ?? null,
        node.os ?? null,
        node.agentVersion ?? null,
      ],
    );
    const actor: Actor = { kind: 'service', id: batch.id, name: `osquery secret ${batch.name}`, scopes: [], from };
    await this.audit.record(tx, actor, 'osquery-node.enrolled', {
      subject: { kind: 'osquery-node', id },
      facts: { secretId: batch.id, deviceId: node.deviceId, agentVersion: node.agentVersion ?? null },
    });
    return nodeKey;
  }

  private async tellOfDuplicate(tx: EntityManager, enrolled: Live, machine: Machine): Promise<void> {
    const whose =
      enrolled.device_id === null ? 'which belongs to no device yet' : `of the device ${enrolled.device_id}`;
    await this.alerts.raise(tx, {
      dedupKey: duplicateKey(enrolled.id),
      kind: 'device_duplicate',
      severity: 'warning',
      owner: 'it-admins',
      message:
        `A machine that calls itself ${named(machine.hostname)} wants to enrol with the hardware id or serial of ` +
        `the osquery node ${enrolled.id} (${named(enrolled.hostname)}), ${whose}. It was refused. If it is the same machine, ` +
        'set up anew, end that node: it enrols by itself then.',
    });
  }
}

async function deviceWith(tx: EntityManager, serial: string | null): Promise<string | null> {
  const [device] = await queryRows<{ id: string }>(tx, `SELECT id FROM devices WHERE serial = $1`, [serial]);
  return device?.id ?? null;
}

function named(hostname: string | null | undefined): string {
  return hostname ? `“${hostname.slice(0, 100)}”` : 'nothing';
}
