import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AlertsService } from '../cases/alerts.service.js';
import { Departures } from '../devices/departures.service.js';
import { OSQUERY } from '../devices/device-observation.entity.js';
import { ObservationsService } from '../devices/observations.service.js';
import type { ReportingEnd } from '../devices/reporting-ends.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { databaseNow } from '../platform/database/database-now.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { SYSTEM, type Actor } from '../platform/sign-in/actor.js';
import { hashToken } from '../platform/sign-in/secret-token.js';
import { duplicateKey } from './duplicate-key.js';
import { OsqueryNode } from './osquery-node.entity.js';

export const NODE_STATES = ['matched', 'pending', 'ended'] as const;
export type NodeState = (typeof NODE_STATES)[number];

const IS_NEWS = `(online_noted_at IS NULL OR online_noted_at < now() - interval '15 minutes')`;

/** The nodes that enrolled: who they are, whose, and when they were last heard of. */
@Injectable()
export class OsqueryNodes {
  constructor(
    private readonly audit: AuditService,
    private readonly alerts: AlertsService,
    private readonly observations: ObservationsService,
    departures: Departures,
  ) {
    departures.listen((tx, actor, { deviceId, because }) => this.endOfDevice(tx, actor, deviceId, because));
  }

  /**
   * Who asks with this key, noted as seen: in the node itself at most once a minute, in the device's log of observations
   * once a quarter of an hour. One whose device has been recorded since it enrolled is matched with it now.
   *
   * @returns null for a key that no live node has: the agent is to enrol again
   */
  async checkIn(tx: EntityManager, nodeKey: string): Promise<OsqueryNode | null> {
    const found = await tx.findOneBy(OsqueryNode, { keyHash: hashToken(nodeKey) });
    if (!found || found.endedAt !== null) return null;
    const node = found.deviceId === null ? await this.matchBySerial(tx, found) : found;
    const [due] = await queryRows<{ online: boolean }>(
      tx,
      `UPDATE osquery_nodes SET last_seen_at = now(), online_noted_at = CASE WHEN ${IS_NEWS} THEN now() ELSE online_noted_at END
       WHERE id = $1 AND (last_seen_at IS NULL OR last_seen_at < now() - interval '1 minute' OR ${IS_NEWS})
       RETURNING online_noted_at = now() AS online`,
      [node.id],
    );
    if (due?.online && node.deviceId !== null) {
      const observedAt = await databaseNow(tx);
      await this.observations.takeIn(tx, node.deviceId, [
        { kind: 'last_online', value: 'osquery checked in', source: OSQUERY, observedAt },
      ]);
    }
    return node;
  }

  async list(
    tx: EntityManager,
    state: NodeState | undefined,
    page: { after: string | null; limit: number },
  ): Promise<OsqueryNode[]> {
    const query = tx.createQueryBuilder(OsqueryNode, 'node').orderBy('node.id', 'DESC').limit(page.limit);
    if (page.after) query.andWhere('node.id < :after', { after: page.after });
    if (state === 'ended') query.andWhere('node.ended_at IS NOT NULL');
    if (state === 'matched') query.andWhere('node.ended_at IS NULL AND node.device_id IS NOT NULL');
    if (state === 'pending') query.andWhere('node.ended_at IS NULL AND node.device_id IS NULL');
    return query.getMany();
  }

  /**
   * Somebody says which device it is.
   * @throws Problem `not-found`; `conflict` for a node that is matched or ended, and a device that has another node
   */
  async match(tx: EntityManager, actor: Actor, id: string, deviceId: string): Promise<OsqueryNode> {
    const node = await this.lock(tx, id);
    if (node.endedAt !== null)
      throw new Problem('conflict', 'This node is ended. Match the one that enrolled after it.');
    if (node.deviceId !== null) throw new Problem('conflict', 'This node belongs to a device already. End it first.');
    const [device] = await queryRows<{ taken: boolean }>(
      tx,
      `SELECT EXISTS (SELECT FROM osquery_nodes n WHERE n.device_id = d.id AND n.ended_at IS NULL) AS taken
       FROM devices d WHERE d.id = $1 FOR UPDATE OF d`,
      [deviceId],
    );
    if (!device) {
      const detail = 'There is no device with this id.';
      throw new Problem('invalid-request', detail, [{ pointer: '/deviceId', detail }]);
    }
    if (device.taken) throw new Problem('conflict', 'The device has another node. End that one first.');
    return this.matchWith(tx, actor, node, deviceId);
  }

  /** From now on its key opens nothing, and the same machine may enrol anew. Again changes nothing. @throws Problem `not-found` */
  async end(tx: EntityManager, actor: Actor, id: string): Promise<OsqueryNode> {
    const node = await this.lock(tx, id);
    if (node.endedAt !== null) return node;
    await this.endOne(tx, actor, node, 'withdrawn');
    return tx.findOneByOrFail(OsqueryNode, { id });
  }

  /** Also one that would be found to be the device's, by its serial number, when it next comes by. */
  private async endOfDevice(tx: EntityManager, actor: Actor, deviceId: string, because: ReportingEnd): Promise<void> {
    const nodes = await queryRows<Pick<OsqueryNode, 'id' | 'deviceId'>>(
      tx,
      `SELECT n.id, n.device_id AS "deviceId" FROM osquery_nodes n JOIN devices d ON d.id = $1
       WHERE n.ended_at IS NULL AND (n.device_id = d.id OR (n.device_id IS NULL AND n.serial = d.serial))
       ORDER BY n.id FOR UPDATE OF n`,
      [deviceId],
    );
    for (const node of nodes) await this.endOne(tx, actor, node, because);
  }

  private async endOne(
    tx: EntityManager,
    actor: Actor,
    { id, deviceId }: Pick<OsqueryNode, 'id' | 'deviceId'>,
    because: ReportingEnd,
  ): Promise<void> {
    await tx.update(OsqueryNode, { id }, { endedAt: () => 'now()', endedBecause: because });
    await this.alerts.resolve(tx, [duplicateKey(id)]);
    await this.audit.record(tx, actor, 'osquery-node.ended', {
      subject: { kind: 'osquery-node', id },
      facts: { deviceId, because },
    });
  }

  /** It is asked about its disks and its image when it next comes by. @throws Problem `not-found`; `conflict` when it is ended */
  async ask(tx: EntityManager, actor: Actor, id: string): Promise<OsqueryNode> {
    const node = await this.lock(tx, id);
    if (node.endedAt !== null) throw new Problem('conflict', 'This node is ended, so it won’t come by.');
    await tx.update(OsqueryNode, { id }, { askedAt: () => 'now()' });
    await this.audit.record(tx, actor, 'osquery-node.asked', {
      subject: { kind: 'osquery-node', id },
      facts: { deviceId: node.deviceId },
    });
    return tx.findOneByOrFail(OsqueryNode, { id });
  }

  /** What was asked is answered. What is asked meanwhile is asked still. */
  async answered(tx: EntityManager, { id, askedAt }: OsqueryNode): Promise<void> {
    // A Date has no microseconds.
    await tx.query(
      `UPDATE osquery_nodes SET asked_at = NULL WHERE id = $1 AND asked_at < $2::timestamptz + interval '1 millisecond'`,
      [id, askedAt],
    );
  }

  private async lock(tx: EntityManager, id: string): Promise<OsqueryNode> {
    const node = await tx.findOne(OsqueryNode, { where: { id }, lock: { mode: 'pessimistic_write' } });
    if (!node) throw new Problem('not-found', 'There is no osquery node with this id.');
    return node;
  }

  private async matchBySerial(tx: EntityManager, node: OsqueryNode): Promise<OsqueryNode> {
    const [device] = await queryRows<{ id: string }>(
      tx,
      `SELECT id FROM devices d WHERE serial = $1
         AND NOT EXISTS (SELECT FROM osquery_nodes n WHERE n.device_id = d.id AND n.ended_at IS NULL)`,
      [node.serial],
    );
    return device ? this.matchWith(tx, SYSTEM, node, device.id) : node;
  }

  private async matchWith(
    tx: EntityManager,
    actor: Actor,
    { id }: OsqueryNode,
    deviceId: string,
  ): Promise<OsqueryNode> {
    // What it told before was nobody's, so it is asked again.
    await tx.update(OsqueryNode, { id }, { deviceId, askedAt: () => 'now()', onlineNotedAt: null });
    await this.audit.record(tx, actor, 'osquery-node.matched', {
      subject: { kind: 'osquery-node', id },
      facts: { deviceId },
    });
    return tx.findOneByOrFail(OsqueryNode, { id });
  }
}
