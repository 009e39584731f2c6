import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Account } from '../accounts/account.entity.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { isDoubtful } from '../accounts/doubtful.js';
import { CredentialsService } from '../accounts/credentials.service.js';
import type { Tool } from '../tools/tool.entity.js';
import { ToolsService } from '../tools/tools.service.js';
import { planCut } from './plan-cut.js';
import type { StepPlan } from './step-plan.js';
import { together } from '../platform/database/together.js';

/** Writes a person's desired state as "suspended everywhere" and plans how to get there. The caller has locked the person. */
@Injectable()
export class CutPlanning {
  constructor(
    private readonly accounts: AccountsService,
    private readonly credentials: CredentialsService,
    private readonly tools: ToolsService,
  ) {}

  async plan(tx: EntityManager, personId: string): Promise<StepPlan[]> {
    const { accounts, inUse } = await this.look(tx, personId);
    const ids = accounts.map(({ id }) => id);
    await together([this.accounts.setDesired(tx, ids, 'suspended'), this.credentials.stopHandovers(tx, ids)]);
    return this.stepsFor(accounts, inUse);
  }

  /** How to get there, with nothing written: what a leave would do that a brake holds. */
  async preview(tx: EntityManager, personId: string): Promise<StepPlan[]> {
    const { accounts, inUse } = await this.look(tx, personId);
    return this.stepsFor(accounts, inUse);
  }

  private async look(tx: EntityManager, personId: string): Promise<{ accounts: Account[]; inUse: Tool[] }> {
    const [all, inUse] = await together([this.accounts.forPerson(tx, personId), this.tools.inUse(tx)]);
    return { accounts: all.filter((account) => account.kind === 'person' && !isDoubtful(account)), inUse };
  }

  private stepsFor(accounts: readonly Account[], inUse: readonly Tool[]): StepPlan[] {
    const tools = inUse.map((tool) => ({ id: tool.id, kind: this.tools.kindOf(tool) }));
    const human = new Set(tools.filter(({ kind }) => kind === 'human').map(({ id }) => id));
    // An account that nobody has seen can't be named to an API: discovery finds it. A person can look for it.
    const known = accounts.filter(
      ({ toolId, externalId, observedState }) =>
        observedState !== 'absent' && (externalId !== null || human.has(toolId)),
    );
    return planCut({ tools, accounts: known });
  }
}
