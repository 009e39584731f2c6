import type { AccessPolicy, PolicyConditions } from './access-policy-schema.js';

/** What of an employment the policy looks at. */
export interface EmploymentFacts {
  department: string;
  employmentType: string;
  location: string | null;
}

export interface DesiredGrant {
  kind: 'group' | 'role' | 'licence';
  name: string;
}

/** An account that somebody should have, with what should stand on it. */
export interface DesiredAccess {
  toolKey: string;
  purpose: 'primary';
  grants: DesiredGrant[];
}

export interface DesiredOutcome {
  /** At most one per tool, in the order in which the policy first names the tools. */
  access: DesiredAccess[];
  /** Name of a device model; null: the policy gives none. */
  deviceModel: string | null;
}

/**
 * What the policy gives to somebody with these employments: everything that any fitting rule gives. Of several device
 * models the last fitting rule's holds, so that general rules stand above special ones. Nobody employed gets nothing.
 */
export function desiredAccess(employments: readonly EmploymentFacts[], policy: AccessPolicy): DesiredOutcome {
  const fitting = policy.rules.filter(({ when }) => employments.some((facts) => fits(when, facts)));
  const byTool = new Map<string, DesiredAccess>();
  for (const { tool, groups, roles, licences } of fitting.flatMap(({ tools }) => tools)) {
    const access = byTool.get(tool) ?? { toolKey: tool, purpose: 'primary', grants: [] };
    byTool.set(tool, access);
    addMissing(access.grants, 'group', groups);
    addMissing(access.grants, 'role', roles);
    addMissing(access.grants, 'licence', licences);
  }
  const models = fitting.flatMap(({ deviceModel }) => deviceModel ?? []);
  return { access: [...byTool.values()], deviceModel: models.at(-1) ?? null };
}

function fits(when: PolicyConditions, facts: EmploymentFacts): boolean {
  return (
    isOneOf(facts.department, when.department) &&
    isOneOf(facts.employmentType, when.employmentType) &&
    isOneOf(facts.location, when.location)
  );
}

/** HR systems and people disagree about capitals, so these don't matter. A fact that isn't known fits no condition. */
function isOneOf(fact: string | null, choices: readonly string[] | undefined): boolean {
  if (choices === undefined) return true;
  return fact !== null && choices.some((choice) => plain(choice) === plain(fact));
}

function plain(word: string): string {
  return word.normalize('NFC').trim().toLowerCase();
}

function addMissing(grants: DesiredGrant[], kind: DesiredGrant['kind'], names: readonly string[]): void {
  for (const name of names) {
    if (!grants.some((grant) => grant.kind === kind && grant.name === name)) grants.push({ kind, name });
  }
}
