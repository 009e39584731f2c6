import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { SignInBars } from '../platform/sign-in/sign-in-bars.service.js';
import { CasesService } from './cases.service.js';

/** What the engine has to do with people's sign-in to this very service. */
@Injectable()
export class SignInWatch {
  constructor(
    bars: SignInBars,
    private readonly cases: CasesService,
  ) {
    bars.add(async (tx, personId) => this.reasonAgainst(tx, personId));
  }

  /** While a hold stands the person is without access, here too. */
  private async reasonAgainst(tx: EntityManager, personId: string): Promise<string | null> {
    const holds = await this.cases.standingHolds(tx, personId);
    return holds.length === 0
      ? null
      : 'Your access is suspended. Whoever looks after people’s access in your company knows why, and can give it back.';
  }
}
