import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { queryRows } from '../platform/database/query-rows.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { judgeReport, type DiskReport, type JudgedVolume } from './encryption/judge-report.js';
import { DeviceObservation, OBSERVATION_KINDS, OSQUERY, type ObservationKind } from './device-observation.entity.js';

interface Seen {
  details?: Record<string, unknown>;
  source: string;
  observedAt: Date;
}

/** What was seen: of the disks a report, of which the rule says what it shows; of all else a value. */
export type NewObservation = Seen &
  (
    | { kind: Exclude<ObservationKind, 'disk_encryption'>; value: string }
    | { kind: 'disk_encryption'; report: DiskReport }
  );

/** An observation, and how old the knowledge is by the database's clock. */
export interface AgedObservation {
  id: string;
  kind: ObservationKind;
  value: string;
  details: Record<string, unknown>;
  /** Of disk encryption: what was seen of each. */
  volumes: JudgedVolume[] | null;
  source: string;
  observedAt: Date;
  ageSeconds: number;
}

/** Who adds to `device_observations`; nothing there is ever changed, and only what is old is dropped (`ThinObservations`). */
@Injectable()
export class ObservationsService {
  constructor(private readonly audit: AuditService) {}

  /**
   * What somebody with a token says.
   * @throws Problem `not-found` for an unknown device, `invalid-request` for an observation from the future, and for one
   * under the name of agents or of a device manager, which tell by themselves
   */
  async add(tx: EntityManager, actor: Actor, deviceId: string, seen: NewObservation): Promise<AgedObservation> {
    await requireWithin(tx, actor, 'held device', deviceId);
    const [device] = await queryRows<{ future: boolean; taken: boolean }>(
      tx,
      `SELECT $2::timestamptz > now() + interval '5 minutes' AS future, lower($3) = $4 OR EXISTS (
         SELECT FROM device_manager_rounds r JOIN tools t ON t.id = r.tool_id WHERE lower(t.key) = lower($3)) AS taken
       FROM devices WHERE id = $1`,
      [deviceId, seen.observedAt, seen.source, OSQUERY],
    );
    if (!device) throw new Problem('not-found', 'There is no device with this id.');
    if (device.future) {
      const detail = 'Nobody has seen anything in the future: look at the clock of whoever observed it.';
      throw new Problem('invalid-request', detail, [{ pointer: '/observedAt', detail }]);
    }
    if (device.taken) {
      const detail = `“${seen.source}” tells here by itself. Name who or what saw it, as in “${seen.source} export”.`;
      throw new Problem('invalid-request', detail, [{ pointer: '/source', detail }]);
    }
    const { id, value } = await this.append(tx, deviceId, seen, null);
    const { kind, source, observedAt } = seen;
    await this.audit.record(tx, actor, 'device.observed', {
      subject: { kind: 'device', id: deviceId },
      facts: { observationId: id, kind, value, source, observedAt: observedAt.toISOString() },
    });
    const [added] = await this.aged(tx, 'WHERE id = $1', [id]);
    if (!added) throw new Error('the observation is gone');
    return added;
  }

  /**
   * What a device's agent or its manager reports. The log itself is the record of it: nobody changed anything, so there is
   * no audit entry for each. What comes from the future was seen when it arrived. What the same source told of the same
   * instant before isn't kept again: agents repeat what they don't know to have arrived, managers what they know.
   *
   * @param tx of the caller, who made sure that the device exists and that it is the sender's
   */
  async takeIn(tx: EntityManager, deviceId: string, all: readonly NewObservation[]): Promise<void> {
    for (const seen of all) await this.append(tx, deviceId, seen, seen.observedAt);
  }

  /**
   * The newest of one kind by when it was seen; of two of one instant, the one recorded later. Of disk encryption it is
   * the newest answer: whoever asked in vain since then makes it older, not unknown.
   */
  async latest(tx: EntityManager, deviceId: string, kind: ObservationKind): Promise<AgedObservation | null> {
    const newest = async (answers: string): Promise<AgedObservation | undefined> => {
      const order = 'ORDER BY observed_at DESC, id DESC LIMIT 1';
      return (await this.aged(tx, `WHERE device_id = $1 AND kind = $2 ${answers} ${order}`, [deviceId, kind]))[0];
    };
    const answer = kind === 'disk_encryption' ? await newest(`AND value <> 'unknown'`) : undefined;
    return answer ?? (await newest('')) ?? null;
  }

  /** The newest of each kind, as `latest` knows it, by kind. */
  async latestOfEach(tx: EntityManager, deviceId: string): Promise<AgedObservation[]> {
    const newest: AgedObservation[] = [];
    for (const kind of OBSERVATION_KINDS.toSorted()) {
      const seen = await this.latest(tx, deviceId, kind);
      if (seen) newest.push(seen);
    }
    return newest;
  }

  async list(
    tx: EntityManager,
    deviceId: string,
    page: { after: string | null; limit: number },
  ): Promise<DeviceObservation[]> {
    const query = tx
      .createQueryBuilder(DeviceObservation, 'observation')
      .where('observation.device_id = :deviceId', { deviceId })
      .orderBy('observation.id', 'DESC')
      .limit(page.limit);
    if (page.after) query.andWhere('observation.id < :after', { after: page.after });
    return query.getMany();
  }

  /** @param toldAt null: it is kept however often it is said */
  private async append(
    tx: EntityManager,
    deviceId: string,
    seen: NewObservation,
    toldAt: Date | null,
  ): Promise<{ id: string; value: string }> {
    const id = newId();
    const { kind, source, observedAt, details = {} } = seen;
    const judged = seen.kind === 'disk_encryption' ? judgeReport(seen.report) : null;
    const agent = seen.kind === 'disk_encryption' ? seen.report.agent : undefined;
    const value = seen.kind === 'disk_encryption' ? (judged?.state ?? 'unknown') : seen.value;
    await tx.query(
      `INSERT INTO device_observations (id, device_id, kind, value, details, source, observed_at, told_at, agent, agent_version, why, volumes)
       VALUES ($1, $2, $3, $4, $5, $6, LEAST($7::timestamptz, now()), $8, $9, $10, $11, $12)
       ON CONFLICT (device_id, kind, source, told_at) WHERE told_at IS NOT NULL DO NOTHING`,
      [
        id,
        deviceId,
        kind,
        value,
        JSON.stringify(details),
        source,
        observedAt,
        toldAt,
        agent?.name ?? null,
        agent?.version ?? null,
        judged?.why ?? null,
        judged && JSON.stringify(judged.volumes),
      ],
    );
    return { id, value };
  }

  private async aged(tx: EntityManager, clauses: string, parameters: readonly unknown[]): Promise<AgedObservation[]> {
    return queryRows<AgedObservation>(
      tx,
      `SELECT id, kind, value, details, volumes, source, observed_at AS "observedAt",
              LEAST(2147483647, GREATEST(0, floor(extract(epoch FROM clock_timestamp() - observed_at))))::int AS "ageSeconds"
       FROM device_observations ${clauses}`,
      parameters,
    );
  }
}
