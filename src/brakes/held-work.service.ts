import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { StepApproval } from '../cases/approved-step.js';
import { HeldSteps } from '../cases/held-steps.service.js';
import type { Actor } from '../platform/sign-in/actor.js';
import type { BrakeKind } from './decide-brake.js';

/** A case that is let go, in the transaction of its approval. */
export interface LetGo {
  caseId: string;
  personId: string;
  approved: Pick<StepApproval, 'approvalId' | 'planHash'>;
}

/** Does what a brake held, beyond letting the steps go. */
export type CarryOut = (tx: EntityManager, work: LetGo, actor: Actor) => Promise<void>;

/** How each kind of held work is carried out; the feature that had planned it knows. */
@Injectable()
export class HeldWork {
  private readonly kinds = new Map<BrakeKind, CarryOut>();

  constructor(private readonly steps: HeldSteps) {}

  /** Called once, when the application starts. A kind that nobody registers has nothing to do but its steps. */
  register(kind: BrakeKind, carryOut: CarryOut): void {
    this.kinds.set(kind, carryOut);
  }

  async carryOut(tx: EntityManager, kind: BrakeKind, work: LetGo, actor: Actor): Promise<void> {
    const carryOut = this.kinds.get(kind);
    if (carryOut) await carryOut(tx, work, actor);
    else await this.steps.letGo(tx, work.caseId, work.approved);
  }
}
