import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Account } from '../accounts/account.entity.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { isDoubtful } from '../accounts/doubtful.js';
import { CredentialsService } from '../accounts/credentials.service.js';
import { ToolsService } from '../tools/tools.service.js';
import { planCut } from './plan-cut.js';
import type { StepPlan } from './step-plan.js';

/** Writes a person's desired state as "suspended everywhere" and plans how to get there. The caller has locked the person. */
@Injectable()
export class CutPlanning {
  constructor(
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly tools: ToolsService,
  ) {}

  async plan(tx: EntityManager, personId: string): Promise<StepPlan[]> {
    const accounts = await this.accountsOf(tx, personId);
    await this.accounts.setDesired(
      tx,
      accounts.map(({ id }) => id),
      'suspended',
    );
    await this.credentials.stopHandovers(
      tx,
      accounts.map(({ id }) => id),
    );
    return this.stepsFor(tx, accounts);
  }

  /** How to get there, with nothing written: what a leave would do that a brake holds. */
  async preview(tx: EntityManager, personId: string): Promise<StepPlan[]> {
    return this.stepsFor(tx, await this.accountsOf(tx, personId));
  }

  private async accountsOf(tx: EntityManager, personId: string): Promise<Account[]> {
    return (await this.accounts.forPerson(tx, personId)).filter(
      (account) => account.kind === 'person' && !isDoubtful(account),
    );
  }

  private async stepsFor(tx: EntityManager, accounts: readonly Account[]): Promise<StepPlan[]> {
    const tools = (await this.tools.inUse(tx)).map((tool) => ({
      id: tool.id,
      kind: this.tools.kindOf(tool),
    }));
    const human = new Set(tools.filter(({ kind }) => kind === 'human').map(({ id }) => id));
    // An account that nobody has seen can't be named to an API: discovery finds it. A person can look for it.
    const known = accounts.filter(
      ({ toolId, externalId, observedState }) =>
        observedState !== 'absent' && (externalId !== null || human.has(toolId)),
    );
    return planCut({ tools, accounts: known });
  }
}
