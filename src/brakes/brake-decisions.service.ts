import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Approval, ApprovalAct } from '../approvals/approval.entity.js';
import { Approvals, type ActPlan, type Approved } from '../approvals/approvals.service.js';
import { HeldSteps } from '../cases/held-steps.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import { inTransaction } from '../platform/database/transaction.js';
import { Problem } from '../platform/errors/problem.js';
import { requireWithin } from '../platform/roles/within-reach.js';
import type { Actor } from '../platform/sign-in/actor.js';
import { Brake } from './brake.entity.js';
import { BrakesReader, type HeldPerson } from './brakes-reader.service.js';
import { Brakes } from './brakes.service.js';
import type { BrakeKind } from './decide-brake.js';
import { HeldWork } from './held-work.service.js';

/** What people decide about a brake. Each decision takes two of them. */
@Injectable()
export class BrakeDecisions implements OnModuleInit {
  constructor(
    private readonly db: DataSource,
    private readonly approvals: Approvals,
    private readonly reader: BrakesReader,
    private readonly brakes: Brakes,
    private readonly heldWork: HeldWork,
    private readonly heldSteps: HeldSteps,
    private readonly audit: AuditService,
  ) {}

  onModuleInit(): void {
    this.approvals.bind('brake.release', {
      plan: (tx, { id }) => this.plan(tx, id, 'does'),
      carryOut: (tx, { id }, approved, actor) => this.release(tx, id, approved, actor),
    });
    this.approvals.bind('brake.discard', {
      plan: (tx, { id }) => this.plan(tx, id, 'gives up'),
      carryOut: (tx, { id }, approved, actor) => this.discard(tx, id, approved, actor),
    });
  }

  /** Asks for the second person. @throws Problem `not-found`; `conflict` when the brake is over */
  async request(act: ApprovalAct, brakeId: string, reason: string, actor: Actor): Promise<Approval> {
    await requireWithin(this.db.manager, actor, 'brake', brakeId);
    return this.approvals.request(act, { id: brakeId }, reason, actor);
  }

  /** What the brake holds at this moment. */
  async show(actor: Actor, brakeId: string): Promise<{ brake: Brake; people: HeldPerson[] }> {
    return inTransaction(this.db, async (tx) => {
      await requireWithin(tx, actor, 'brake', brakeId);
      return this.reader.inFull(tx, brakeId);
    });
  }

  /** The people first and the brake after them, as whoever adds to it does: what is read stays as it is. */
  private async plan(tx: EntityManager, brakeId: string, verb: string): Promise<ActPlan> {
    await tx.query(
      `SELECT 1 FROM people WHERE id IN (SELECT person_id FROM braked_cases WHERE brake_id = $1 AND outcome = 'held')
       ORDER BY id FOR UPDATE`,
      [brakeId],
    );
    await tx.query(`SELECT 1 FROM brakes WHERE id = $1 FOR UPDATE`, [brakeId]);
    const { brake, people } = await this.reader.inFull(tx, brakeId);
    if (brake.state !== 'standing') throw new Problem('conflict', `This brake was ${brake.state} before.`);
    const steps = people.flatMap((person) => person.steps);
    return {
      summary: `${verb} ${people.length} ${brake.kind} by ${brake.source}, ${steps.length} steps`,
      about: {
        people: people.map(({ personId, corporateEmail }) => ({ id: personId, corporateEmail })),
        principals: [],
      },
      plan: { kind: brake.kind, source: brake.source, people: people.map((person) => planned(brake.kind, person)) },
    };
  }

  private async release(tx: EntityManager, brakeId: string, approved: Approved, actor: Actor): Promise<void> {
    const people = await this.end(tx, brakeId, 'released', approved, actor);
    const { kind } = await tx.findOneByOrFail(Brake, { id: brakeId });
    for (const { caseId, personId } of people) {
      await this.heldWork.carryOut(tx, kind as BrakeKind, { caseId, personId, approved }, actor);
    }
  }

  private async discard(tx: EntityManager, brakeId: string, approved: Approved, actor: Actor): Promise<void> {
    const people = await this.end(tx, brakeId, 'discarded', approved, actor);
    const reason = `Discarded by two people, ${approved.requestedBy} and ${actor.name}: ${approved.reason}`;
    for (const { caseId } of people) await this.heldSteps.drop(tx, caseId, actor, reason);
  }

  private async end(
    tx: EntityManager,
    brakeId: string,
    state: 'released' | 'discarded',
    { approvalId, planHash, requestedBy, reason }: Approved,
    actor: Actor,
  ): Promise<HeldPerson[]> {
    const { people } = await this.reader.inFull(tx, brakeId);
    await tx.query(`UPDATE braked_cases SET outcome = $2, ended_at = now() WHERE brake_id = $1 AND outcome = 'held'`, [
      brakeId,
      state,
    ]);
    await tx.update(Brake, { id: brakeId }, { state, endedAt: () => 'now()', endedBy: actor.name, reason, approvalId });
    await this.brakes.ended(tx, brakeId);
    await this.audit.record(tx, actor, `brake.${state}`, {
      subject: { kind: 'brake', id: brakeId },
      facts: { planHash, cases: people.map(({ caseId }) => caseId) },
      personal: { requestedBy },
      approvalId,
      reason,
    });
    return people;
  }
}

/**
 * What is approved of one person. Of a leave it is the person: which accounts it takes in is seen when it is done, since
 * a revocation takes in what is found later. Of a restoration it is also whose hold is lifted, and what is given out.
 */
function planned(kind: string, person: HeldPerson): Record<string, unknown> {
  const { caseId, personId, steps, lossCaseId, replacementDeviceId } = person;
  if (kind === 'leaves') return { caseId, personId };
  return { caseId, personId, steps, ...(lossCaseId !== null && { lossCaseId, replacementDeviceId }) };
}
