import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessPolicyService } from '../access-policy/access-policy.service.js';
import { desiredAccess } from '../access-policy/desired-access.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { GrantsService } from '../accounts/grants.service.js';
import { employedAt, EmploymentsService } from '../people/employments.service.js';
import type { Person } from '../people/person.entity.js';
import { ToolsService } from '../tools/tools.service.js';
import { CasesService } from './cases.service.js';
import { planAccess, type WantedAccount } from './plan-access.js';
import type { StepPlan } from './step-plan.js';

export interface AccessPlan {
  steps: StepPlan[];
  policyVersionId: string;
  /** Name of the standard model that the policy gives; null when it gives none. */
  deviceModel: string | null;
  /** Tools that the policy names and that aren't set up (yet): said in the case, since nobody gets an account there. */
  unknownTools: string[];
}

/**
 * What the policy grants at a person's newest generation, written as desired state, and the steps that lead there. The
 * caller has locked the person, raised the generation and seen that no hold stands.
 */
@Injectable()
export class AccessPlanning {
  constructor(
    private readonly policy: AccessPolicyService,
    private readonly employments: EmploymentsService,
    private readonly tools: ToolsService,
    private readonly accounts: AccountsService,
    private readonly grants: GrantsService,
    private readonly cases: CasesService,
  ) {}

  async plan(tx: EntityManager, person: Person, generation: number, now: Date): Promise<AccessPlan> {
    const policy = await this.policy.current(tx);
    const employments = employedAt(await this.employments.forPerson(tx, person.id), now);
    const { access, deviceModel } = desiredAccess(employments, policy.document);
    const before = await this.accounts.forPerson(tx, person.id);
    const revocations = await this.cases.unfinishedRevocations(tx, person.id);
    const sent = await this.cases.grantsInTheAir(tx, person.id);
    const inTheAir = (id: string) => sent.filter(({ accountId }) => accountId === id).map(({ stepId }) => stepId);
    const unknownTools: string[] = [];
    const wanted: WantedAccount[] = [];
    for (const { toolKey, purpose, grants } of access) {
      const tool = await this.tools.findByKey(tx, toolKey);
      if (!tool || tool.state === 'retired') {
        unknownTools.push(toolKey);
        continue;
      }
      const earlier = before.find((account) => account.toolId === tool.id && account.purpose === purpose);
      const account = await this.accounts.openFor(tx, {
        personId: person.id,
        toolId: tool.id,
        purpose,
        username: await this.accounts.usernameAt(tx, tool.id, person, tool.settings.usernameFrom),
        generation,
        desiredState: 'active',
      });
      const wantedGrants = [];
      for (const { kind, name } of grants) {
        wantedGrants.push(await this.grants.want(tx, account.id, { kind, name }, 'present', generation));
      }
      wanted.push({
        id: account.id,
        toolId: tool.id,
        observed: account.observedState,
        externalId: account.externalId,
        mustRotate:
          earlier?.desiredState === 'suspended' ||
          revocations.some(({ accountId, act }) => accountId === account.id && act === 'suspend_account'),
        grants: wantedGrants,
        grantsInTheAir: inTheAir(account.id),
        unfinishedRevocations: revocations
          .filter(({ accountId }) => accountId === account.id)
          .map(({ stepId }) => stepId),
      });
    }
    const unwanted = before.filter(
      (account) => account.desiredState === 'active' && !wanted.some(({ id }) => id === account.id),
    );
    await this.accounts.setDesired(
      tx,
      unwanted.map(({ id }) => id),
      'suspended',
      generation,
    );
    const steps = planAccess({
      wanted,
      // One that wasn't there when somebody last looked may be there by now: a create whose end nobody saw.
      unwanted: unwanted.map(({ id, toolId }) => ({ id, toolId, grantsInTheAir: inTheAir(id) })),
      unwantedGrants: (await this.withdrawGrants(tx, wanted, generation)).map((grant) => ({
        ...grant,
        grantsInTheAir: inTheAir(grant.accountId),
      })),
    });
    return { steps, policyVersionId: policy.id, deviceModel, unknownTools };
  }

  private async withdrawGrants(tx: EntityManager, wanted: readonly WantedAccount[], generation: number) {
    const standing = await this.grants.forAccounts(
      tx,
      wanted.map(({ id }) => id),
    );
    const unwanted = [];
    for (const { id, accountId, kind, name, desired } of standing) {
      const account = wanted.find((one) => one.id === accountId);
      if (!account || desired === 'absent' || account.grants.some((grant) => grant.id === id)) continue;
      await this.grants.want(tx, accountId, { kind, name }, 'absent', generation);
      unwanted.push({ id, accountId, toolId: account.toolId, kind, name });
    }
    return unwanted;
  }
}
