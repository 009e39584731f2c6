import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AccessPolicyService } from '../access-policy/access-policy.service.js';
import { desiredAccess, type DesiredGrant } from '../access-policy/desired-access.js';
import type { Account } from '../accounts/account.entity.js';
import { AccountsService } from '../accounts/accounts.service.js';
import { GrantsService } from '../accounts/grants.service.js';
import { employedAt, EmploymentsService } from '../people/employments.service.js';
import type { Person } from '../people/person.entity.js';
import type { Tool } from '../tools/tool.entity.js';
import { ToolsService } from '../tools/tools.service.js';
import { CasesService } from './cases.service.js';
import { planAccess, type WantedAccount } from './plan-access.js';
import type { StepPlan } from './step-plan.js';
import { together } from '../platform/database/together.js';

export interface AccessPlan {
  steps: StepPlan[];
  policyVersionId: string;
  /** Name of the standard model that the policy gives; null when it gives none. */
  deviceModel: string | null;
  /** Tools that the policy names and that aren't set up (yet): said in the case, since nobody gets an account there. */
  unknownTools: string[];
}

/** A tool where the policy gives an account, with the one that is recorded there already. */
interface Place {
  tool: Tool;
  purpose: string;
  grants: readonly DesiredGrant[];
  earlier: Account | undefined;
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
    const [policy, employments, before, revocations, sent, inUse] = await together([
      this.policy.current(tx),
      this.employments.forPerson(tx, person.id),
      this.accounts.forPerson(tx, person.id),
      this.cases.unfinishedRevocations(tx, person.id),
      this.cases.grantsInTheAir(tx, person.id),
      this.tools.inUse(tx),
    ]);
    const { access, deviceModel } = desiredAccess(employedAt(employments, now), policy.document);
    const inTheAir = (id: string) => sent.filter(({ accountId }) => accountId === id).map(({ stepId }) => stepId);
    const tools = new Map(inUse.map((tool) => [tool.key, tool]));
    const unknownTools = access.filter(({ toolKey }) => !tools.has(toolKey)).map(({ toolKey }) => toolKey);
    const places = access.flatMap(({ toolKey, purpose, grants }): Place[] => {
      const tool = tools.get(toolKey);
      const earlier = before.find((account) => account.toolId === tool?.id && account.purpose === purpose);
      return tool ? [{ tool, purpose, grants, earlier }] : [];
    });
    const opened = await this.openAccounts(tx, person, generation, places);
    const present = await this.grants.want(
      tx,
      opened.flatMap(({ account, grants }) => grants.map((grant) => ({ accountId: account.id, ...grant }))),
      'present',
      generation,
    );
    const wanted = opened.map(({ account, grants, earlier }): WantedAccount => ({
      id: account.id,
      toolId: account.toolId,
      observed: account.observedState,
      externalId: account.externalId,
      mustRotate:
        earlier?.desiredState === 'suspended' ||
        revocations.some(({ accountId, act }) => accountId === account.id && act === 'suspend_account'),
      // In the policy's order.
      grants: grants.flatMap(({ kind, name }) =>
        present.filter((one) => one.accountId === account.id && one.kind === kind && one.name === name),
      ),
      grantsInTheAir: inTheAir(account.id),
      unfinishedRevocations: revocations
        .filter(({ accountId }) => accountId === account.id)
        .map(({ stepId }) => stepId),
    }));
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

  private async openAccounts(
    tx: EntityManager,
    person: Person,
    generation: number,
    places: readonly Place[],
  ): Promise<(Place & { account: Account })[]> {
    const naming = ({ id, settings }: Tool) => ({ id, usernameFrom: settings.usernameFrom });
    const unnamed = places.filter(({ earlier }) => !earlier).map(({ tool }) => naming(tool));
    const newName = await this.accounts.newUsernames(tx, person, unnamed);
    const accounts = await this.accounts.openAll(
      tx,
      places.map(({ tool, purpose, earlier }) => ({
        personId: person.id,
        toolId: tool.id,
        purpose,
        username: earlier?.username ?? newName(naming(tool)),
        generation,
        desiredState: 'active',
      })),
    );
    return places.flatMap((place, index) => {
      const account = accounts[index];
      return account ? [{ ...place, account }] : [];
    });
  }

  private async withdrawGrants(tx: EntityManager, wanted: readonly WantedAccount[], generation: number) {
    const standing = await this.grants.forAccounts(
      tx,
      wanted.map(({ id }) => id),
    );
    const unwanted = standing.flatMap(({ id, accountId, kind, name, desired }) => {
      const account = wanted.find((one) => one.id === accountId);
      if (!account || desired === 'absent' || account.grants.some((grant) => grant.id === id)) return [];
      return [{ id, accountId, toolId: account.toolId, kind, name }];
    });
    await this.grants.want(tx, unwanted, 'absent', generation);
    return unwanted;
  }
}
