import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import { ACCESS_POLICY, type AccessPolicy } from '../../src/access-policy/access-policy-schema.js';
import type { EmploymentFacts } from '../../src/access-policy/desired-access.js';
import { PolicyVersion } from '../../src/access-policy/policy-version.entity.js';
import { newId } from '../../src/platform/ids/new-id.js';

/** A policy for acme.example; mention the rules, and of these only what the test is about. */
export function anAccessPolicy(with_: Partial<z.input<typeof ACCESS_POLICY>> = {}): AccessPolicy {
  return ACCESS_POLICY.parse({ corporateDomains: ['acme.example'], rules: [], ...with_ });
}

export function employmentFacts(with_: Partial<EmploymentFacts> = {}): EmploymentFacts {
  return { department: 'engineering', employmentType: 'employee', location: 'Berlin', ...with_ };
}

/** Makes it the active policy, in place of the one before. */
export async function anActivePolicy(
  tx: EntityManager,
  policy: AccessPolicy = anAccessPolicy(),
): Promise<PolicyVersion> {
  const id = newId();
  await tx.update(PolicyVersion, { active: true }, { active: false });
  await tx.insert(PolicyVersion, {
    id,
    digest: `sha256:of-test-${id}`,
    source: 'test.yaml',
    document: policy,
    active: true,
    activatedBy: 'a test',
  });
  return tx.findOneByOrFail(PolicyVersion, { id });
}
