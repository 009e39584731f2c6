import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { z } from 'zod';
import type { Approval } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type ActTarget, type Approved } from '../approvals/approvals.service.js';
import { AlertsService } from '../cases/alerts.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { newId } from '../platform/ids/new-id.js';
import { Permits } from '../platform/roles/permits.service.js';
import { RoleAssignments } from '../platform/roles/role-assignments.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { isAtTerminal } from '../platform/sign-in/principals.js';
import { BrakeLimits } from './brake-limits.service.js';
import { LIMIT_KINDS, letsMorePass, TAKING_KINDS } from './decide-brake.js';

/** One limit for these kinds. */
export const LimitWish = z.strictObject({
  kinds: z.array(z.enum(LIMIT_KINDS)).min(1),
  atLeast: z.int().min(0).max(1_000_000),
  sharePercent: z.int().min(0).max(100),
});
export type LimitWish = z.infer<typeof LimitWish>;

/**
 * Who raises a limit gets round the brake, so that takes two people; lowering one is the safe direction and takes one.
 * Before anybody is there who could approve, whoever sits at the server sets limits alone, and on-call hears of it.
 */
@Injectable()
export class BrakeLimitEdits implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly limits: BrakeLimits,
    private readonly approvals: Approvals,
    private readonly assignments: RoleAssignments,
    private readonly permits: Permits,
    private readonly alerts: AlertsService,
  ) {}

  onModuleInit(): void {
    this.approvals.bind('brake-limit.raise', {
      plan: (tx, target) => this.plan(tx, wishIn(target)),
      carryOut: (tx, target, approved, actor) => this.raise(tx, wishIn(target), approved, actor),
    });
  }

  /**
   * Answers what another person has to approve; null when it is done.
   *
   * @throws Problem `invalid-request` when it takes two people and nobody says why, for a share of `reveals`, and for a
   * limit of nobody where access is taken away
   */
  async change(wish: LimitWish, reason: string | undefined, actor: Actor): Promise<Approval | null> {
    if (wish.kinds.includes('reveals') && wish.sharePercent > 0) {
      throw invalid('/sharePercent', 'Recovery keys are counted by their number: send 0 as their share.');
    }
    const taking = wish.kinds.filter((kind) => TAKING_KINDS.includes(kind));
    if (wish.atLeast < 1 && taking.length > 0) {
      throw invalid(
        '/atLeast',
        `A limit of ${taking.join(', ')} is 1 at least: one person can always have somebody out.`,
      );
    }
    const isDone = await inTransaction(this.db, async (tx) => {
      await this.limits.lock(tx);
      const isRaise = (await this.before(tx, wish)).some((before) => letsMorePass(before, wish));
      if (isRaise && !(await this.mayAlone(tx, actor))) return false;
      await this.set(tx, wish, actor, reason === undefined ? {} : { reason });
      if (isRaise) await this.tell(tx, wish, actor);
      return true;
    });
    if (isDone) return null;
    if (reason === undefined) {
      throw invalid('/reason', 'Raising a limit takes two people: say why, for the one who approves it.');
    }
    return this.approvals.request('brake-limit.raise', { id: newId(), wish: { ...wish } }, reason, actor);
  }

  private async plan(tx: EntityManager, wish: LimitWish): Promise<ActPlan> {
    await this.limits.lock(tx);
    const { kinds, atLeast, sharePercent } = wish;
    const before = await this.before(tx, wish);
    return {
      summary: `lets ${atLeast}, or ${sharePercent} % of the active staff, of ${kinds.join(', ')} pass`,
      about: { people: [], principals: [] },
      plan: { before, after: { atLeast, sharePercent } },
    };
  }

  /** Whoever asked has to be allowed to still. */
  private async raise(
    tx: EntityManager,
    wish: LimitWish,
    { requestedById, approvalId, reason }: Approved,
    actor: Actor,
  ): Promise<void> {
    if (!(await this.permits.everywhereStill(tx, requestedById)).includes('brakes:write')) {
      throw new Problem('forbidden', 'Whoever asked for this may change limits no more.');
    }
    await this.set(tx, wish, actor, { approvalId, reason });
  }

  private async before(tx: EntityManager, { kinds }: LimitWish) {
    const limits = [];
    for (const kind of kinds) {
      const { atLeast, sharePercent } = await this.limits.of(tx, kind);
      limits.push({ kind, atLeast, sharePercent });
    }
    return limits;
  }

  private async set(
    tx: EntityManager,
    { kinds, ...limit }: LimitWish,
    actor: Actor,
    why: { reason?: string; approvalId?: string },
  ): Promise<void> {
    for (const kind of kinds) await this.limits.set(tx, kind, limit, actor, why);
  }

  private async mayAlone(tx: EntityManager, actor: Actor): Promise<boolean> {
    return isAtTerminal(actor.id) && !(await this.assignments.isHeldEverywhere(tx, 'approvals:decide'));
  }

  private async tell(tx: EntityManager, { kinds, atLeast, sharePercent }: LimitWish, { name }: Actor): Promise<void> {
    await this.alerts.raise(tx, {
      dedupKey: `brake_limit_raised:${newId()}`,
      kind: 'brake_limit_raised',
      severity: 'warning',
      owner: 'it-admins',
      message: `${name} let ${atLeast} or ${sharePercent} % of ${kinds.join(', ')} pass, on the server's command line and alone: nobody is there yet who could approve it.`,
    });
  }
}

function invalid(pointer: string, detail: string): Problem {
  return new Problem('invalid-request', detail, [{ pointer, detail }]);
}

function wishIn({ wish }: ActTarget): LimitWish {
  return LimitWish.parse(wish);
}
