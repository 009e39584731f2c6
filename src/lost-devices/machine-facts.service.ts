import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { queryRows } from '../platform/database/query-rows.js';
import { Loss } from './loss.entity.js';
import type { MachineKnowledge } from './runbook/propose-containment.js';
import { FrozenVolume, unlocksBy, unlocksOf } from './unlocks.js';
import type { AssessedLoss } from './write-worksheet.js';

/** As `LostDevicesService` froze it in the case's facts. */
const FrozenDisk = z.object({
  value: z.enum(['encrypted', 'not_encrypted', 'suspended', 'converting', 'unknown']).catch('unknown'),
  source: z.string().nullable().catch(null),
  observedAt: z.string().nullable().catch(null),
  ageSeconds: z.number().nullable().catch(null),
  volumes: z.array(FrozenVolume).catch([]),
  /** Of the disk as a whole, by who told of no volumes. */
  protectors: z.array(z.string()).nullable().catch(null),
});
type FrozenDisk = z.infer<typeof FrozenDisk>;

/** Reads what is known of a lost machine, as it was at its report. */
@Injectable()
export class MachineFacts {
  async of(tx: EntityManager, loss: Loss): Promise<MachineKnowledge> {
    const disk = await this.disk(tx, loss);
    const { sinceRotation, later } = await this.keyReads(tx, loss);
    return {
      disk: disk.value,
      diskAgeSeconds: disk.ageSeconds,
      unlocks: unlocksIn(disk),
      awake: loss.awake,
      keyRevealed: sinceRotation + later > 0,
      // Nothing on it may be destroyed, whichever of its losses says so.
      legalHold: await tx.existsBy(Loss, { deviceId: loss.deviceId, legalHold: true }),
    };
  }

  async forAssessment(tx: EntityManager, loss: Loss): Promise<AssessedLoss> {
    const cuts = await queryRows<AssessedLoss['cuts'][number]>(
      tx,
      `SELECT s.account_id AS "accountId", t.name AS tool, a.username, s.state, s.reason, s.attested_by AS "attestedBy",
         s.confirmed_at AS "confirmedAt", s.residual_until AS "residualUntil"
       FROM steps s JOIN tools t ON t.id = s.tool_id LEFT JOIN accounts a ON a.id = s.account_id
       WHERE s.case_id = $1 AND s.effect = 'revoke' ORDER BY t.name, s.position`,
      [loss.caseId],
    );
    const [report] = await queryRows<{ at: Date }>(tx, `SELECT opened_at AS at FROM cases WHERE id = $1`, [
      loss.caseId,
    ]);
    if (!report) throw new Error(`the case ${loss.caseId} is not there`);
    return {
      awareAt: loss.awareAt,
      reportedAt: report.at,
      disk: await this.disk(tx, loss),
      machine: await this.of(tx, loss),
      keyReads: await this.keyReads(tx, loss),
      reachable: loss.reachable,
      cuts,
      lastSignAt: loss.lastSignAt,
    };
  }

  private async disk(tx: EntityManager, { caseId }: Loss): Promise<FrozenDisk> {
    const [row] = await queryRows<{ disk: unknown }>(
      tx,
      `SELECT facts -> 'diskEncryption' AS disk FROM cases WHERE id = $1`,
      [caseId],
    );
    return FrozenDisk.parse(row?.disk ?? {});
  }

  /**
   * A read before the report counts unless a newer key of the same kind was kept before it, too: a key that is kept later
   * opens this disk or doesn't, and what was read opens it still.
   */
  private async keyReads(tx: EntityManager, { caseId, deviceId }: Loss): Promise<AssessedLoss['keyReads']> {
    const [row] = await queryRows<AssessedLoss['keyReads']>(
      tx,
      `SELECT count(*) FILTER (WHERE r.revealed_at <= c.opened_at AND NOT EXISTS (
           SELECT FROM recovery_keys newer WHERE newer.device_id = k.device_id AND newer.protects = k.protects
             AND newer.kept_at > r.revealed_at AND newer.kept_at <= c.opened_at))::int AS "sinceRotation",
         count(*) FILTER (WHERE r.revealed_at > c.opened_at)::int AS later
       FROM cases c CROSS JOIN recovery_key_reveals r JOIN recovery_keys k ON k.id = r.recovery_key_id
       WHERE c.id = $1 AND k.device_id = $2`,
      [caseId, deviceId],
    );
    if (!row) throw new Error('counts without a group answer one row');
    return row;
  }
}

function unlocksIn({ volumes, protectors }: FrozenDisk): MachineKnowledge['unlocks'] {
  const isTold = volumes.some((volume) => volume.protectors !== null);
  return isTold ? unlocksOf(volumes) : unlocksBy(protectors);
}
