import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditService } from '../platform/audit/audit.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { BrakeLimit } from './brake-limit.entity.js';
import { BRAKE_KINDS, DEFAULT_LIMITS, type BrakeKind, type Limit } from './decide-brake.js';

export interface StandingLimit extends Limit {
  kind: BrakeKind;
  /** Null: nobody changed the default. */
  changedBy: string | null;
}

/** How much of each kind a source may do within an hour. */
@Injectable()
export class BrakeLimits {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
  ) {}

  async of(tx: EntityManager, kind: BrakeKind): Promise<Limit> {
    return (await tx.findOneBy(BrakeLimit, { kind })) ?? DEFAULT_LIMITS[kind];
  }

  async list(): Promise<StandingLimit[]> {
    const changed = await this.db.manager.find(BrakeLimit);
    return BRAKE_KINDS.map((kind) => {
      const row = changed.find((one) => one.kind === kind);
      const { atLeast, sharePercent } = row ?? DEFAULT_LIMITS[kind];
      return { kind, atLeast, sharePercent, changedBy: row?.changedBy ?? null };
    });
  }

  /** Counts from now on; what a brake holds already stays held. */
  async set(kind: BrakeKind, { atLeast, sharePercent }: Limit, actor: Actor): Promise<void> {
    await inTransaction(this.db, async (tx) => {
      const { atLeast: before, sharePercent: shareBefore } = await this.of(tx, kind);
      const row = { kind, atLeast, sharePercent, changedAt: () => 'now()', changedBy: actor.name };
      await tx.upsert(BrakeLimit, row, ['kind']);
      // Room that the limit before gave and nobody has taken: whoever comes next is held against the new one.
      await tx.query(`DELETE FROM brake_slots WHERE kind = $1 AND used_at <= now() - interval '1 hour'`, [kind]);
      await tx.query(`UPDATE brake_slots SET valid_until = now() WHERE kind = $1`, [kind]);
      await this.audit.record(tx, actor, 'brake-limit.changed', {
        facts: { kind },
        before: { atLeast: before, sharePercent: shareBefore },
        after: { atLeast, sharePercent },
      });
    });
  }
}
