import type { AccessPolicy } from '../../src/access-policy/access-policy-schema.js';

/** What each department gives: groups by tool. The policy is made from it, and so is what the model expects. */
export const ENTITLEMENTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  engineering: { 'tool-0': ['staff', 'engineers'], 'tool-1': ['engineers'], 'tool-2': [] },
  sales: { 'tool-0': ['staff', 'sellers'], 'tool-2': ['sellers'] },
  support: { 'tool-0': ['staff'], 'tool-1': ['helpers'] },
};
export const DEPARTMENTS = Object.keys(ENTITLEMENTS);

export const POLICY: AccessPolicy = {
  corporateDomains: ['acme.example'],
  rules: Object.entries(ENTITLEMENTS).map(([department, tools]) => ({
    name: department,
    when: { department: [department] },
    tools: Object.entries(tools).map(([tool, groups]) => ({ tool, groups: [...groups], roles: [], licences: [] })),
  })),
};

/** The groups that these departments give at a tool; null: no account there at all. */
export function entitledAt(departments: readonly string[], toolKey: string): string[] | null {
  const giving = departments.flatMap((department) => {
    const groups = ENTITLEMENTS[department]?.[toolKey];
    return groups ? [groups] : [];
  });
  return giving.length === 0 ? null : [...new Set(giving.flat())].toSorted();
}
