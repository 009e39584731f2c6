import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { AuditRecord } from '../platform/audit/audit-statement.js';
import { AuditService } from '../platform/audit/audit.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { BrakeLimit } from './brake-limit.entity.js';
import { DEFAULT_LIMITS, LIMIT_KINDS, type Limit, type LimitKind } from './decide-brake.js';

export interface StandingLimit extends Limit {
  kind: LimitKind;
  /** Null: nobody changed the default. */
  changedBy: string | null;
}

/** How much of each kind a source may do within an hour, and how many recovery keys one person reads alone in a day. */
@Injectable()
export class BrakeLimits {
  constructor(
    private readonly db: DataSource,
    private readonly audit: AuditService,
  ) {}

  async of(tx: EntityManager, kind: LimitKind): Promise<Limit> {
    return (await tx.findOneBy(BrakeLimit, { kind })) ?? DEFAULT_LIMITS[kind];
  }

  async list(): Promise<StandingLimit[]> {
    const changed = await this.db.manager.find(BrakeLimit);
    return LIMIT_KINDS.map((kind) => {
      const row = changed.find((one) => one.kind === kind);
      const { atLeast, sharePercent } = row ?? DEFAULT_LIMITS[kind];
      return { kind, atLeast, sharePercent, changedBy: row?.changedBy ?? null };
    });
  }

  /** Until the transaction ends nobody else changes a limit. */
  async lock(tx: EntityManager): Promise<void> {
    await tx.query(`LOCK TABLE brake_limits IN SHARE ROW EXCLUSIVE MODE`);
  }

  /** Counts from now on; what a brake holds already stays held. Who may do it is said in `brake-limit-edits.service.ts`. */
  async set(
    tx: EntityManager,
    kind: LimitKind,
    { atLeast, sharePercent }: Limit,
    actor: Actor,
    why: Pick<AuditRecord, 'reason' | 'approvalId'> = {},
  ): Promise<void> {
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
      ...why,
    });
  }
}
