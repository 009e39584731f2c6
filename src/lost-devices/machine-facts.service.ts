import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { z } from 'zod';
import { queryRows } from '../platform/database/query-rows.js';
import type { Loss } from './loss.entity.js';
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
    return {
      disk: disk.value,
      diskAgeSeconds: disk.ageSeconds,
      unlocks: unlocksIn(disk),
      awake: loss.awake,
      keyRevealed: (await this.keyReads(tx, loss)).sinceRotation > 0,
      legalHold: loss.legalHold,
    };
  }

  async forAssessment(tx: EntityManager, loss: Loss): Promise<AssessedLoss> {
    const cuts = await queryRows<AssessedLoss['cuts'][number]>(
      tx,
      `SELECT t.name AS tool, s.act, s.state, s.confirmed_at AS "confirmedAt", s.residual_until AS "residualUntil"
       FROM steps s JOIN tools t ON t.id = s.tool_id
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

  /** A read counts until a newer key of the same kind is kept: until then what was read opens the disk. */
  private async keyReads(tx: EntityManager, { deviceId }: Loss): Promise<{ ever: number; sinceRotation: number }> {
    const [row] = await queryRows<{ ever: number; sinceRotation: number }>(
      tx,
      `SELECT count(*)::int AS ever, count(*) FILTER (WHERE NOT EXISTS (
         SELECT FROM recovery_keys newer
         WHERE newer.device_id = k.device_id AND newer.protects = k.protects AND newer.kept_at > r.revealed_at))::int AS "sinceRotation"
       FROM recovery_key_reveals r JOIN recovery_keys k ON k.id = r.recovery_key_id WHERE k.device_id = $1`,
      [deviceId],
    );
    return row ?? { ever: 0, sinceRotation: 0 };
  }
}

function unlocksIn({ volumes, protectors }: FrozenDisk): MachineKnowledge['unlocks'] {
  const isTold = volumes.some((volume) => volume.protectors !== null);
  return isTold ? unlocksOf(volumes) : unlocksBy(protectors);
}
